import { describe, expect, it } from "vitest";
import { nextPath } from "./next";
import { nameOf, refusal, refusalOfOne } from "./uploads";

const file = (name: string, type: string, size = 10): File => new File([new Uint8Array(size)], name, { type });

describe("files", () => {
  it("takes pictures, also those whose type the browser does not know", () => {
    expect(refusal(file("a.jpg", "image/jpeg"), 100)).toBeNull();
    expect(refusal(file("IMG_1.HEIC", ""), 100)).toBeNull();
  });

  it("says why a file is not taken", () => {
    expect(refusal(file("a.pdf", "application/pdf"), 100)).toBe("a.pdf is not a picture.");
    expect(refusal(file("a.svg", "image/svg+xml"), 100)).toBe("a.svg is a drawing; send a photo.");
    expect(refusal(file("a.jpg", "image/jpeg", 0), 100)).toBe("a.jpg is empty.");
    expect(refusal(file("a.jpg", "image/jpeg", 2_000_001), 2_000_000)).toBe("a.jpg is larger than 2 MB; send a smaller copy.");
  });

  it("says why pictures cannot be those of one person", () => {
    const some = (count: number, size: number): File[] => Array.from({ length: count }, () => file("a.jpg", "image/jpeg", size));
    expect(refusalOfOne(some(2, 10), 100)).toBeNull();
    expect(refusalOfOne(some(6, 10), 100)).toBeNull();
    expect(refusalOfOne(some(1, 10), 100)).toContain("choose two to six");
    expect(refusalOfOne(some(7, 10), 100)).toContain("these are 7");
    expect(refusalOfOne(some(3, 900_000), 1_000_000)).toBe("Together the pictures are larger than 2 MB; send smaller copies.");
  });

  it("names results after files, without what cannot be read", () => {
    expect(nameOf(file("Anna & Ben.jpeg", "image/jpeg"))).toBe("Anna & Ben");
    expect(nameOf(file("a\u202e\u0007gpj.png", "image/png"))).toBe("agpj");
    expect(nameOf(file(".jpg", "image/jpeg"))).toBe("Photo");
  });
});

describe("nextPath", () => {
  it("stays on this page", () => {
    expect(nextPath("/r/abc?x=1")).toBe("/r/abc?x=1");
    for (const bad of ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", undefined]) {
      expect(nextPath(bad)).toBe("/");
    }
  });
});
