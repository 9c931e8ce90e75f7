// Whether the camera stands upright, from what the device feels of gravity.

export interface Tilt {
  /** Degrees that the picture leans to a side. */
  roll: number;
  /** Degrees that the camera looks up (positive) or down. */
  pitch: number;
}

const DEGREES = 180 / Math.PI;
const STRAIGHT = 4;

/**
 * The tilt of a device that is held upright, on its short or its long side.
 *
 * @param x,y,z what it feels: metres per second squared, x to the right of the screen, y up it, z out of it.
 */
export function tiltOf(x: number, y: number, z: number): Tilt {
  const turn = Math.atan2(x, y) * DEGREES;
  return { roll: turn - 90 * Math.round(turn / 90), pitch: -Math.atan2(z, Math.hypot(x, y)) * DEGREES };
}

/** What to do about a tilt, or that nothing needs to be done. */
export function levelWords({ roll, pitch }: Tilt): string {
  if (pitch < -STRAIGHT) return "The camera looks down: stand it straight.";
  if (pitch > STRAIGHT) return "The camera looks up: stand it straight.";
  if (Math.abs(roll) > STRAIGHT) return "The camera leans: stand it straight.";
  return "The camera stands straight.";
}

interface AsksFirst {
  requestPermission?: () => Promise<string>;
}

/** Whether motion may be read; to be asked from within a click. */
async function mayFeel(): Promise<boolean> {
  if (!("DeviceMotionEvent" in window)) return false;
  const ask = (DeviceMotionEvent as unknown as AsksFirst).requestPermission;
  return ask ? (await ask().catch(() => "denied")) === "granted" : true;
}

/**
 * Call `onTilt` while the device moves; nothing comes from devices that feel no gravity.
 *
 * @returns a function that stops it.
 */
export async function watchLevel(onTilt: (tilt: Tilt) => void): Promise<() => void> {
  if (!(await mayFeel())) return () => undefined;
  // Apple's devices feel the opposite of what others do.
  const sign = /iPhone|iPad|Macintosh/.test(navigator.userAgent) ? -1 : 1;
  const feel = (event: DeviceMotionEvent): void => {
    const { x, y, z } = event.accelerationIncludingGravity ?? {};
    if (x == null || y == null || z == null || Math.hypot(x, y, z) < 5) return;
    onTilt(tiltOf(sign * x, sign * y, sign * z));
  };
  window.addEventListener("devicemotion", feel);
  return () => window.removeEventListener("devicemotion", feel);
}
