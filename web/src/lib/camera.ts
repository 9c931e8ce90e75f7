/** The device's camera. */

export type Facing = "user" | "environment";

/** Why there is no picture: it may not be used, or there is none. */
export type NoCamera = "denied" | "none";

/** The film of the camera on one side of the device, without sound, or why there is none. */
export async function openCamera(facing: Facing): Promise<MediaStream | NoCamera> {
  try {
    return await navigator.mediaDevices.getUserMedia({
      video: { facingMode: facing, width: { ideal: 1920 }, height: { ideal: 1920 } },
      audio: false,
    });
  } catch (error) {
    return error instanceof DOMException && error.name === "NotAllowedError" ? "denied" : "none";
  }
}
