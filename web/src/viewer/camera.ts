// The photograph's camera in the terms of WebGL.
import { Matrix4 } from "three";

/** A pinhole camera and its place. Pixels are continuous; the picture spans [0, width] x [0, height]. */
export interface PhotoCamera {
  focalPx: number;
  width: number;
  height: number;
  cx: number;
  cy: number;
  /** 16 numbers, row by row: world (y up, metres) to camera (x right, y down, z forward). */
  cameraFromWorld: number[];
}

export interface Rectangle {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Where a picture of the given shape lies when it is fitted, whole and centred, into a viewport. */
export function fitInside(width: number, height: number, viewWidth: number, viewHeight: number): Rectangle {
  const scale = Math.min(viewWidth / width, viewHeight / height);
  return {
    x: (viewWidth - width * scale) / 2,
    y: (viewHeight - height * scale) / 2,
    width: width * scale,
    height: height * scale,
  };
}

/**
 * The projection under which the scene falls on its photograph, when that lies at `place` in a
 * viewport of the given size (CSS pixels, y down).
 */
export function photoProjection(
  camera: PhotoCamera,
  place: Rectangle,
  viewWidth: number,
  viewHeight: number,
  near: number,
  far: number,
): Matrix4 {
  const scale = place.width / camera.width;
  const middleX = (place.x + scale * camera.cx) / viewWidth;
  const middleY = (place.y + scale * camera.cy) / viewHeight;
  const focal = 2 * scale * camera.focalPx;
  return new Matrix4().set(
    focal / viewWidth, 0, 1 - 2 * middleX, 0,
    0, focal / viewHeight, 2 * middleY - 1, 0,
    0, 0, -(far + near) / (far - near), (-2 * far * near) / (far - near),
    0, 0, -1, 0,
  ); // prettier-ignore
}

/** World from camera, with the axes that WebGL gives a camera: x right, y up, looking along -z. */
export function photoPose(camera: PhotoCamera): Matrix4 {
  const flip = new Matrix4().makeScale(1, -1, -1);
  const cameraFromWorld = new Matrix4().fromArray(camera.cameraFromWorld).transpose();
  return cameraFromWorld.invert().multiply(flip);
}

/** Vertical field of view, in degrees, of a viewport in which the picture is fitted at `place`. */
export function photoFieldOfView(camera: PhotoCamera, place: Rectangle, viewHeight: number): number {
  const focal = (place.width / camera.width) * camera.focalPx;
  return (2 * Math.atan(viewHeight / (2 * focal)) * 180) / Math.PI;
}
