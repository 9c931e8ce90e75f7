// The pictures that were handed over in this visit, from the file to the result.
import { reactive } from "vue";
import { api, upload, type UploadOptions } from "../api/client";
import { Problem, sentence } from "../api/problem";
import type { Job } from "../api/types";
import { hasEnded, watchJob } from "../api/watch";
import { config, ensureSession, refreshSession } from "./session";

export interface Upload {
  key: string;
  name: string;
  preview: string; // an object URL, for as long as the page is open; "" for jobs of an earlier visit
  state: "waiting" | "sending" | "working" | "done" | "failed" | "cancelled";
  sent: number;
  job: Job | null;
  problem: { code: string; title: string; detail: string } | null;
}

export const uploads = reactive<Upload[]>([]);

const waiting = new Map<string, { files: Blob[]; options: UploadOptions; abort: AbortController }>();
const stops = new Map<string, () => void>();
let sending = false;

const LOG_IN = { code: "log-in", title: "Log in first", status: 401, detail: "Log in to turn pictures into 3D." };
/** What the server says when our idea of the session is old. */
const OUTDATED = ["csrf", "not-authenticated"];

export interface Refused {
  name: string;
  reason: string;
}

/** Why a file cannot be sent, or null. The server decides in the end. */
export function refusal(file: File, maxBytes: number): string | null {
  const picture = file.type.startsWith("image/") || (file.type === "" && /\.(heic|heif|avif|jpe?g|png|webp|tiff?)$/i.test(file.name));
  if (!picture) return `${file.name} is not a picture.`;
  if (file.type === "image/svg+xml") return `${file.name} is a drawing; send a photo.`;
  if (file.size === 0) return `${file.name} is empty.`;
  if (file.size > maxBytes) {
    return `${file.name} is larger than ${Math.floor(maxBytes / 1e6)} MB; send a smaller copy.`;
  }
  return null;
}

export const MOST_OF_ONE = 6;

/** Why pictures cannot be sent as those of one person, or null. The server decides in the end. */
export function refusalOfOne(chosen: File[], maxBytes: number): string | null {
  if (chosen.length < 2) return "One picture shows one side: choose two to six of the person at once.";
  if (chosen.length > MOST_OF_ONE) return `Of one person six pictures are enough; these are ${chosen.length}.`;
  if (chosen.reduce((sum, file) => sum + file.size, 0) > 2 * maxBytes) {
    return `Together the pictures are larger than ${Math.floor((2 * maxBytes) / 1e6)} MB; send smaller copies.`;
  }
  return null;
}

/** "IMG_2041.jpeg" -> "IMG_2041". */
export function nameOf(file: File): string {
  const stem = file.name.replace(/\.[^.]*$/, "").replaceAll(/[\p{Cc}\p{Cf}]/gu, "").trim().slice(0, 100);
  return stem || "Photo";
}

/**
 * Queue files, each by itself or all of one person together; returns what is on its way. Call only with a session or a
 * wish for one.
 */
export function add(chosen: File[], options: Omit<UploadOptions, "name">, onePerson = false): Upload[] {
  const groups = onePerson ? [chosen] : chosen.map((file) => [file]);
  const added = groups.flatMap((group): Upload[] => {
    const [file] = group;
    if (!file) return [];
    const key = crypto.randomUUID?.() ?? `${Date.now()}-${Math.random().toString(36).slice(2)}`;
    const name = nameOf(file);
    waiting.set(key, { files: group, options: { ...options, name }, abort: new AbortController() });
    return [{ key, name, preview: URL.createObjectURL(file), state: "waiting", sent: 0, job: null, problem: null }];
  });
  uploads.unshift(...added);
  pump();
  // The reactive ones, not the plain objects that went in.
  return uploads.slice(0, added.length);
}

/** Show jobs that this page did not send: those of an earlier visit, or of another tab. */
export function adopt(jobs: Job[]): void {
  // A correction is shown by the result that it corrects, measures by their own page.
  const own = jobs.filter((job) => job.kind === "photo" && !job.replaces);
  const unknown = own.filter((job) => !hasEnded(job) && !uploads.some((item) => item.job?.id === job.id));
  for (const job of unknown.reverse()) {
    uploads.unshift({ key: job.id, name: job.name, preview: "", state: "working", sent: 1, job, problem: null });
    const item = uploads[0];
    if (item) follow(item, job.id);
  }
}

/** Send what waits, one after the other: pictures then queue in the order they were chosen in. */
function pump(): void {
  if (sending) return;
  for (const key of waiting.keys()) {
    const item = uploads.find((other) => other.key === key);
    if (item?.state === "waiting") return void send(item);
  }
}

async function send(item: Upload): Promise<void> {
  const entry = waiting.get(item.key);
  if (!entry) return;
  sending = true;
  item.state = "sending";
  try {
    const { files, options, abort } = entry;
    const attempt = async (): Promise<Job> => {
      if (!(await ensureSession())) throw new Problem(LOG_IN);
      return upload(files, options, item.key, (part) => (item.sent = part), abort.signal);
    };
    const job = await attempt().catch(async (error: unknown) => {
      if (!(error instanceof Problem && OUTDATED.includes(error.code))) throw error;
      await refreshSession();
      return attempt();
    });
    item.job = job;
    item.state = "working";
    waiting.delete(item.key);
    follow(item, job.id);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") item.state = "cancelled";
    else fail(item, error);
  } finally {
    sending = false;
    pump();
  }
}

function fail(item: Upload, error: unknown): void {
  const code = error instanceof Problem ? error.code : "internal";
  const title = error instanceof Problem ? error.title : "Something went wrong";
  item.problem = { code, title, detail: sentence(error) };
  item.state = "failed";
}

function follow(item: Upload, id: string): void {
  const stop = watchJob(
    id,
    (job) => {
      item.job = job;
      if (!hasEnded(job)) return;
      if (job.state === "succeeded") item.state = "done";
      else if (job.state === "cancelled") item.state = "cancelled";
      else {
        item.problem = job.problem ?? { code: "internal", title: "It did not work", detail: "The server gave no reason." };
        item.state = "failed";
      }
    },
    (error) => fail(item, error),
  );
  stops.set(item.key, stop);
}

/** Send once more what failed before it reached the server. */
export function retry(item: Upload): void {
  if (!waiting.has(item.key)) return;
  item.problem = null;
  item.sent = 0;
  item.state = "waiting";
  pump();
}

export const canRetry = (item: Upload): boolean => item.state === "failed" && waiting.has(item.key);

export async function cancel(item: Upload): Promise<void> {
  const entry = waiting.get(item.key);
  if (item.state === "waiting") item.state = "cancelled";
  else if (item.state === "sending") entry?.abort.abort();
  else if (item.job) item.job = await api.cancel(item.job.id);
}

export function dismiss(item: Upload): void {
  stops.get(item.key)?.();
  waiting.delete(item.key);
  if (item.preview) URL.revokeObjectURL(item.preview);
  const index = uploads.findIndex((other) => other.key === item.key);
  if (index >= 0) uploads.splice(index, 1);
}

/** Forget everything, as when somebody logs out. */
export function clearUploads(): void {
  for (const item of [...uploads]) dismiss(item);
}

export const maxBytes = (): number => config.value?.max_upload_bytes ?? 32 * 1024 * 1024;
