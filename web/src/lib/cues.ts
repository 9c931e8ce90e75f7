// What the page says aloud to somebody who has stepped back from the screen.
import { ref } from "vue";
import { announce } from "./announce";

export const canSpeak = typeof window !== "undefined" && "speechSynthesis" in window;
export const aloud = ref(canSpeak);

/** Say a sentence, instead of what is being said. */
export function say(text: string): void {
  announce(text);
  if (!canSpeak || !aloud.value) return;
  speechSynthesis.cancel();
  const words = new SpeechSynthesisUtterance(text);
  words.lang = "en";
  speechSynthesis.speak(words);
}

export function hush(): void {
  if (canSpeak) speechSynthesis.cancel();
}
