import { describe, expect, it } from "vitest";
import { bytesWords, checkWords, label, secondsWords, worst } from "./words";

describe("words", () => {
  it("grades checks and leaves out what was not measured", () => {
    const checks = checkWords({ silhouette_iou: 0.9651, keypoint_error: 0.03, image_similarity: null });
    expect(checks.map(({ title, grade, value }) => [title, grade, value])).toEqual([
      ["Outline", "good", "97 % overlap"],
      ["Pose", "warn", "3.0 % of the height off"],
    ]);
    expect(worst(checks.map((check) => check.grade))).toBe("warn");
    expect(worst([])).toBe("good");
    expect(checkWords({ silhouette_iou: 0.5, keypoint_error: null })[0]?.grade).toBe("bad");
  });

  it("rounds sizes and times as people say them", () => {
    expect([900, 1500, 2_500_000, 12_400_000, 3.2e9].map(bytesWords)).toEqual(["900 B", "2 kB", "2.5 MB", "12 MB", "3.2 GB"]);
    expect([1, 12.4, 180].map(secondsWords)).toEqual(["1 second", "12 seconds", "3 minutes"]);
    expect(label("waist_girth_cm")).toBe("Waist girth");
  });
});
