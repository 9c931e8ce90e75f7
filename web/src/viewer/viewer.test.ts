import { Matrix4, Quaternion, Vector3 } from "three";
import { describe, expect, it } from "vitest";
import { invertRigid } from "../lib/result";
import { fitInside, type PhotoCamera, photoFieldOfView, photoPose, photoProjection } from "./camera";
import { parseObj } from "./obj";
import { type Head, placePills } from "./pills";
import { heading, tPose } from "./poses";
import { tornShare } from "./tear";

// A camera 1.5 m above the ground, pitched down a little, looking along the world's -z.
const pitch = 0.2;
const worldFromCamera = new Matrix4()
  .makeRotationX(-pitch)
  .multiply(new Matrix4().makeScale(1, -1, -1))
  .setPosition(0.3, 1.5, 4);
const rows = [0, 1, 2, 3].map((row) => [0, 1, 2, 3].map((column) => worldFromCamera.elements[column * 4 + row] ?? 0));
const camera: PhotoCamera = { focalPx: 1400, width: 800, height: 1200, cx: 390, cy: 610, cameraFromWorld: invertRigid(rows) };

describe("the photograph's camera", () => {
  it("inverts rigid matrices", () => {
    const expected = worldFromCamera.clone().invert().transpose().toArray();
    invertRigid(rows).forEach((value, index) => expect(value).toBeCloseTo(expected[index] ?? 0, 10));
  });

  it("puts points where the pinhole does, wherever the picture lies", () => {
    const point = new Vector3(0.5, 1.2, 0.4);
    const seen = point.clone().applyMatrix4(worldFromCamera.clone().invert());
    const pixel = [(camera.focalPx * seen.x) / seen.z + camera.cx, (camera.focalPx * seen.y) / seen.z + camera.cy];
    for (const [width, height] of [[800, 1200], [640, 480], [300, 900]] as const) {
      const place = fitInside(camera.width, camera.height, width, height);
      const projected = point
        .clone()
        .applyMatrix4(photoPose(camera).invert())
        .applyMatrix4(photoProjection(camera, place, width, height, 0.1, 100));
      const scale = place.width / camera.width;
      expect(((projected.x + 1) / 2) * width).toBeCloseTo(place.x + scale * (pixel[0] ?? 0), 6);
      expect(((1 - projected.y) / 2) * height).toBeCloseTo(place.y + scale * (pixel[1] ?? 0), 6);
      expect(Math.abs(projected.z)).toBeLessThan(1);
    }
  });

  it("fits pictures inside, whole and centred", () => {
    expect(fitInside(800, 1200, 400, 300)).toEqual({ x: 100, y: 0, width: 200, height: 300 });
    expect(fitInside(1600, 800, 400, 300)).toEqual({ x: 0, y: 50, width: 400, height: 200 });
  });

  it("has the field of view of the whole viewport", () => {
    const place = fitInside(800, 1200, 600, 1200);
    expect(photoFieldOfView(camera, place, 1200)).toBeCloseTo((2 * Math.atan(1200 / 2 / (1400 * 0.75)) * 180) / Math.PI, 8);
  });
});

describe("parseObj", () => {
  it("reads positions and turns polygons into triangles", () => {
    const mesh = parseObj("# x\nmtllib a.mtl\nv 0 0 0\nv 1 0 0\nv 1 1 0 .5 .5 .5\nv 0 1 0\nvt 0 0\nf 1/1 2/1 3/1 4/1\nf 1 3 4");
    expect([...mesh.positions]).toEqual([0, 0, 0, 1, 0, 0, 1, 1, 0, 0, 1, 0]);
    expect([...mesh.indices]).toEqual([0, 1, 2, 0, 2, 3, 0, 2, 3]);
  });

  it("refuses what is not there", () => {
    expect(() => parseObj("v 0 0 0\nf 1 2 3")).toThrow(RangeError);
  });
});

describe("poses", () => {
  const rest = new Map(
    Object.entries({
      "upperarm01.L": [0.18, 1.4, 0], "lowerarm01.L": [0.35, 1.2, -0.02], "wrist.L": [0.5, 1.0, 0.05],
      "upperarm01.R": [-0.18, 1.4, 0], "lowerarm01.R": [-0.35, 1.2, -0.02], "wrist.R": [-0.5, 1.0, 0.05],
    }).map(([name, [x = 0, y = 0, z = 0]]) => [name, new Vector3(x, y, z)]),
  );
  const at = (name: string): Vector3 => rest.get(name) ?? new Vector3();

  it("stretches both arms sideways in the T-pose, by forward kinematics", () => {
    const pose = tPose(rest);
    for (const [side, direction] of [["L", 1], ["R", -1]] as const) {
      const upper = pose.get(`upperarm01.${side}`) ?? new Quaternion();
      const lower = upper.clone().multiply(pose.get(`lowerarm01.${side}`) ?? new Quaternion());
      const first = at(`lowerarm01.${side}`).clone().sub(at(`upperarm01.${side}`)).normalize().applyQuaternion(upper);
      const second = at(`wrist.${side}`).clone().sub(at(`lowerarm01.${side}`)).normalize().applyQuaternion(lower);
      for (const segment of [first, second]) {
        expect(segment.distanceTo(new Vector3(direction, 0, 0))).toBeLessThan(1e-6);
      }
    }
  });

  it("leaves joints alone that the skeleton lacks", () => {
    expect(tPose(new Map()).size).toBe(0);
  });

  it("keeps the heading of a turned and tilted body", () => {
    const turned = new Quaternion().setFromAxisAngle(new Vector3(0, 1, 0), 1.1);
    const tilted = turned.clone().multiply(new Quaternion().setFromAxisAngle(new Vector3(1, 0, 0), 0.4));
    expect(heading(tilted).angleTo(turned)).toBeLessThan(1e-6);
  });
});

describe("names and heights", () => {
  const head = (x: number, y: number, size = 40): Head => ({ x, y, size });
  const box = (at: { x: number; y: number } | null, width: number): number[] =>
    at ? [at.x - width / 2, at.y - 24, at.x + width / 2, at.y] : [];

  it("stand above their heads, and in the view", () => {
    const [middle, corner] = placePills([head(200, 100), head(5, 300)], [60, 60], 400);
    expect(middle).toEqual({ x: 200, y: 97 });
    expect(corner?.x).toBe(30);
    expect(placePills([head(200, 10), null, head(-50, 100)], [60, 60, 60], 400)).toEqual([null, null, null]);
  });

  it("cover neither faces nor each other", () => {
    // The first stands before the taller second; the third beside them, as tall as the first.
    const heads = [head(200, 130), head(205, 85), head(240, 132)];
    const widths = [90, 90, 90];
    const places = placePills(heads, widths, 400);
    const faces = heads.map(({ x, y, size }) => [x - 0.45 * size, y, x + 0.45 * size, y + size]);
    const boxes = places.map((place, index) => box(place, widths[index] ?? 0)).filter((one) => one.length);
    expect(boxes.length).toBe(3);
    for (const [i, a] of boxes.entries()) {
      for (const b of [...faces, ...boxes.slice(i + 1)]) {
        const [ax0 = 0, ay0 = 0, ax1 = 0, ay1 = 0] = a;
        const [bx0 = 0, by0 = 0, bx1 = 0, by1 = 0] = b;
        expect(ax1 <= bx0 || bx1 <= ax0 || ay1 <= by0 || by1 <= ay0).toBe(true);
      }
    }
  });
});

describe("a surface in another pose", () => {
  const flat = [0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 1, 0];
  const triangles = [0, 1, 2, 1, 3, 2];

  it("is whole when it only turns, or stretches as cloth does", () => {
    const turned = flat.map((_, i) => [-(flat[i + 1 - (i % 3)] ?? 0), flat[i - (i % 3)] ?? 0, 0][i % 3] ?? 0);
    expect(tornShare(flat, turned, triangles)).toBe(0);
    expect(tornShare(flat, flat.map((value, i) => (i % 3 === 0 ? 2.4 * value : value)), triangles)).toBe(0);
  });

  it("is torn where it is drawn out, by its share of the area", () => {
    expect(tornShare(flat, flat.map((value, i) => (i % 3 === 0 ? 2.6 * value : value)), triangles)).toBe(1);
    // One corner is pulled away: of the two triangles the one with it.
    const pulled = [...flat.slice(0, 9), 7, 7, 0];
    const share = tornShare(flat, pulled, triangles);
    expect(share).toBeGreaterThan(0.9);
    expect(share).toBeLessThan(1);
  });
});
