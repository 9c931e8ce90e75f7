// The page of a clip: its film beside its people, from the file alone.
import type { MotionData } from "../viewer/motion/data";
import { MotionPlayer } from "../viewer/motion/player";
import { decode } from "./decode";

const element = (id: string): HTMLElement => document.getElementById(id) as HTMLElement;

/** What an element holds; it is emptied, for text of megabytes need not stay. */
function taken(id: string): string {
  const holder = element(id);
  const text = holder.textContent ?? "";
  holder.textContent = "";
  return text;
}

async function start(): Promise<void> {
  const data = JSON.parse(taken("motion-data")) as MotionData;
  const scene = decode(taken("scene-data"));
  const film = URL.createObjectURL(new Blob([decode(taken("film-data"))], { type: "video/mp4" }));
  await MotionPlayer.open(element("player"), { data, scene, film });
  document.body.dataset["ready"] = "true";
}

start().catch((error: unknown) => {
  console.error(error);
  const message = element("message");
  message.textContent = "This browser cannot show the 3D view: it needs WebGL 2.";
  message.hidden = false;
});
