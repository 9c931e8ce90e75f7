import { describe, expect, it } from "vitest";
import type { MovingPerson } from "../api/types";
import { agreement, fieldsOf, moverDownloads, partRefusal, videoRefusal } from "./moving";

const file = (name: string, type: string, size: number): File => ({ name, type, size }) as File;

describe("videos", () => {
  it("refuses what is none, empty or too large", () => {
    expect(videoRefusal(file("a.mp4", "video/mp4", 5), 10)).toBeNull();
    expect(videoRefusal(file("a.mkv", "", 5), 10)).toBeNull();
    expect(videoRefusal(file("a.txt", "text/plain", 5), 10)).toContain("not a video");
    expect(videoRefusal(file("a.mp4", "video/mp4", 0), 10)).toContain("empty");
    expect(videoRefusal(file("a.mp4", "video/mp4", 2e6), 1e6)).toContain("larger than 1 MB");
  });

  it("refuses parts that are none or too long", () => {
    expect(partRefusal({ from: null, to: null, heightCm: null }, 60)).toBeNull();
    expect(partRefusal({ from: 5, to: 65, heightCm: null }, 60)).toBeNull();
    expect(partRefusal({ from: 5, to: 66, heightCm: null }, 60)).toContain("60 seconds");
    expect(partRefusal({ from: 5, to: 5, heightCm: null }, 60)).toContain("ends before");
  });

  it("leaves out what is not known", () => {
    expect(fieldsOf("Garden", { from: 0, to: null, heightCm: null })).toEqual({ name: "Garden" });
    expect(fieldsOf("Garden", { from: 2, to: 4.5, heightCm: 170 })).toEqual({
      name: "Garden", start_s: "2", end_s: "4.5", height_cm: "170",
    });
  });

  it("lists the files that are there, and says how well a person agrees", () => {
    const person = { checks: { silhouette_iou: 0.72 }, files: { joints: "/j.csv" } } as unknown as MovingPerson;
    expect(moverDownloads(person).map((one) => one.url)).toEqual(["/j.csv?download=1"]);
    expect(agreement(person)).toEqual({ grade: "warn", words: "72 % overlap with the clip" });
    expect(agreement({ ...person, checks: { silhouette_iou: null } })).toBeNull();
  });
});
