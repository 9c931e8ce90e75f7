// Ways to stand a model in one's own room, where the device has one.
import { parseGlb } from "../viewer/load";

export type ArWay = "quick-look" | "scene-viewer" | null;

/** What the device offers: Apple's Quick Look, Android's Scene Viewer, or nothing. */
export function arWay(): ArWay {
  try {
    if (document.createElement("a").relList.supports("ar")) return "quick-look";
  } catch {
    // Old browsers throw instead of saying no.
  }
  // Scene Viewer fetches the file itself, without our cookies, and over https only.
  return /android/i.test(navigator.userAgent) && location.protocol === "https:" ? "scene-viewer" : null;
}

/** The link that opens Scene Viewer for a public GLB. */
export function sceneViewerLink(file: string, title: string, fallback: string): string {
  const query = new URLSearchParams({ file, mode: "ar_preferred", title });
  return (
    `intent://arvr.google.com/scene-viewer/1.0?${query}` +
    "#Intent;scheme=https;package=com.google.android.googlequicksearchbox;" +
    `action=android.intent.action.VIEW;S.browser_fallback_url=${encodeURIComponent(fallback)};end;`
  );
}

/** Turn a GLB into the USDZ that Quick Look reads; the exporter comes when it is asked for. */
export async function usdzOf(url: string): Promise<Blob> {
  const { USDZExporter } = await import("three/examples/jsm/exporters/USDZExporter.js");
  const gltf = await parseGlb(url);
  gltf.scene.updateMatrixWorld(true);
  const data = await new USDZExporter().parseAsync(gltf.scene);
  return new Blob([data as BlobPart], { type: "model/vnd.usdz+zip" });
}
