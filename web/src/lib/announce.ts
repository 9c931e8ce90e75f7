// Sentences for screen readers, and short notices that everybody sees.
import { reactive } from "vue";

export const announcements = reactive({ polite: "", notice: "", noticeKey: 0 });
let timer: ReturnType<typeof setTimeout> | undefined;

/** Say something to those who listen. */
export function announce(text: string): void {
  if (announcements.polite !== text) announcements.polite = text;
}

/** Say something to everybody, for a few seconds. */
export function notify(text: string): void {
  announcements.notice = text;
  announcements.noticeKey += 1;
  clearTimeout(timer);
  timer = setTimeout(() => (announcements.notice = ""), 6000);
}
