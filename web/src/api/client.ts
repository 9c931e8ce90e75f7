// Every request of the page, in one place; paths, bodies and answers are typed by the API itself.
import createClient from "openapi-fetch";
import { OFFLINE, Problem, problemFrom } from "./problem";
import type { paths } from "./schema";
import type { Hints } from "../lib/corrections";
import type { Job, Measurement, Scope } from "./types";

let csrfToken: string | null = null;

/** Remember what the session says; every request that changes something sends it. */
export function setCsrfToken(token: string | null): void {
  csrfToken = token;
}

const http = createClient<paths>({ credentials: "same-origin" });

http.use({
  onRequest({ request }) {
    if (csrfToken && request.method !== "GET") request.headers.set("X-CSRF-Token", csrfToken);
    return request;
  },
  onError: ({ error }) => (error instanceof Error && error.name === "AbortError" ? error : new Problem(OFFLINE)),
});

/** The answer's body; throws `Problem` when it is not one. */
async function ask<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await call;
  if (!response.ok) throw problemFrom(response.status, error, response.headers.get("Retry-After"));
  return data as T;
}

export const api = {
  config: () => ask(http.GET("/api/v1/config")),

  session: () => ask(http.GET("/api/v1/session")),
  guest: () => ask(http.POST("/api/v1/sessions/guest")),
  login: (name: string, password: string) => ask(http.POST("/api/v1/sessions", { body: { name, password } })),
  logout: () => ask(http.DELETE("/api/v1/session")),
  register: (name: string, password: string) => ask(http.POST("/api/v1/accounts", { body: { name, password } })),

  sessions: () => ask(http.GET("/api/v1/sessions")),
  endSession: (session_id: string) =>
    ask(http.DELETE("/api/v1/sessions/{session_id}", { params: { path: { session_id } } })),

  account: () => ask(http.GET("/api/v1/account")),
  changePassword: (current_password: string, new_password: string, revoke_tokens: boolean) =>
    ask(http.PUT("/api/v1/account/password", { body: { current_password, new_password, revoke_tokens } })),
  /** A guest has no password. */
  deleteAccount: (password: string | null) =>
    ask(http.POST("/api/v1/account/deletion", { body: password === null ? {} : { password } })),

  tokens: () => ask(http.GET("/api/v1/tokens")),
  createToken: (name: string, scopes: Scope[], expires_in_days: number | null) =>
    ask(http.POST("/api/v1/tokens", { body: { name, scopes, expires_in_days } })),
  revokeToken: (token_id: string) =>
    ask(http.DELETE("/api/v1/tokens/{token_id}", { params: { path: { token_id } } })),

  results: (cursor: string | null) =>
    ask(http.GET("/api/v1/reconstructions", { params: { query: { limit: 24, ...(cursor ? { cursor } : {}) } } })),
  result: (reconstruction_id: string) =>
    ask(http.GET("/api/v1/reconstructions/{reconstruction_id}", { params: { path: { reconstruction_id } } })),
  rename: (reconstruction_id: string, name: string) =>
    ask(
      http.PATCH("/api/v1/reconstructions/{reconstruction_id}", {
        params: { path: { reconstruction_id } },
        body: { name },
      }),
    ),
  /** Make a result anew with what is known of its people; the height that came with the upload is among that. */
  correct: (reconstruction_id: string, hints: Hints | null): Promise<Job> =>
    ask(
      http.PATCH("/api/v1/reconstructions/{reconstruction_id}", {
        params: { path: { reconstruction_id } },
        headers: { Prefer: "respond-async" },
        body: { hints, height_cm: null },
      }),
    ) as Promise<Job>,
  remove: (reconstruction_id: string) =>
    ask(http.DELETE("/api/v1/reconstructions/{reconstruction_id}", { params: { path: { reconstruction_id } } })),

  shares: (reconstruction_id: string) =>
    ask(http.GET("/api/v1/reconstructions/{reconstruction_id}/shares", { params: { path: { reconstruction_id } } })),
  share: (reconstruction_id: string, expires_in_days: number) =>
    ask(
      http.POST("/api/v1/reconstructions/{reconstruction_id}/shares", {
        params: { path: { reconstruction_id } },
        body: { expires_in_days },
      }),
    ),
  revokeShare: (share_id: string) =>
    ask(http.DELETE("/api/v1/shares/{share_id}", { params: { path: { share_id } } })),
  shared: (token: string) => ask(http.GET("/api/v1/shared/{token}", { params: { path: { token } } })),

  videos: (cursor: string | null) =>
    ask(http.GET("/api/v1/videos", { params: { query: { limit: 24, ...(cursor ? { cursor } : {}) } } })),
  video: (video_id: string) => ask(http.GET("/api/v1/videos/{video_id}", { params: { path: { video_id } } })),
  renameVideo: (video_id: string, name: string) =>
    ask(http.PATCH("/api/v1/videos/{video_id}", { params: { path: { video_id } }, body: { name } })),
  removeVideo: (video_id: string) => ask(http.DELETE("/api/v1/videos/{video_id}", { params: { path: { video_id } } })),
  videoShares: (video_id: string) => ask(http.GET("/api/v1/videos/{video_id}/shares", { params: { path: { video_id } } })),
  shareVideo: (video_id: string, expires_in_days: number) =>
    ask(http.POST("/api/v1/videos/{video_id}/shares", { params: { path: { video_id } }, body: { expires_in_days } })),

  measurements: () => ask(http.GET("/api/v1/measurements")),
  measurement: (measurement_id: string) =>
    ask(http.GET("/api/v1/measurements/{measurement_id}", { params: { path: { measurement_id } } })),
  keepMeasurement: (measurement_id: string) =>
    ask(http.PATCH("/api/v1/measurements/{measurement_id}", { params: { path: { measurement_id } }, body: { keep: true } })),
  removeMeasurement: (measurement_id: string) =>
    ask(http.DELETE("/api/v1/measurements/{measurement_id}", { params: { path: { measurement_id } } })),
  handOff: () => ask(http.POST("/api/v1/measurements/handoffs")),

  samples: () => ask(http.GET("/api/v1/samples")),
  sample: (sample_id: string) => ask(http.GET("/api/v1/samples/{sample_id}", { params: { path: { sample_id } } })),

  jobs: () => ask(http.GET("/api/v1/jobs")),
  job: (job_id: string) => ask(http.GET("/api/v1/jobs/{job_id}", { params: { path: { job_id } } })),
  cancel: (job_id: string) => ask(http.POST("/api/v1/jobs/{job_id}/cancel", { params: { path: { job_id } } })),
};

/** Send a front and a side of each capture to measure by; `token` stands for an account on another device. */
export async function sendPairs(
  pairs: readonly { front: Blob; side: Blob }[],
  fields: Record<string, string>,
  token: string | null,
): Promise<Measurement | Job> {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  for (const { front, side } of pairs) {
    form.append("front", front, "front"); // the files' own names stay here
    form.append("side", side, "side");
  }
  // Whoever has an account follows the job; a phone has none and waits for the answer.
  const headers: Record<string, string> = token
    ? { Authorization: `Bearer ${token}` }
    : { "X-CSRF-Token": csrfToken ?? "", Prefer: "respond-async" };
  let response: Response;
  try {
    const credentials = token ? "omit" : "same-origin";
    response = await fetch("/api/v1/measurements", { method: "POST", headers, body: form, credentials });
  } catch {
    throw new Problem(OFFLINE);
  }
  const body = parse(await response.text());
  if (!response.ok) throw problemFrom(response.status, body, response.headers.get("Retry-After"));
  return body as Measurement | Job;
}

function parse(text: string): unknown {
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}

export interface UploadOptions {
  name: string;
  heightCm: number | null;
  maxPeople: number | null;
}

/**
 * Send a picture, or several of one person, and get the job. XMLHttpRequest, because fetch does not tell how much is sent.
 *
 * @param onSent called with the fraction that has left, 0 to 1.
 */
export function upload(
  files: Blob[],
  options: UploadOptions,
  key: string,
  onSent: (fraction: number) => void,
  signal: AbortSignal,
): Promise<Job> {
  const form = new FormData();
  form.append("name", options.name);
  if (options.heightCm !== null) form.append("height_cm", String(options.heightCm));
  if (options.maxPeople !== null) form.append("max_people", String(options.maxPeople));
  if (files.length > 1) form.append("same_person", "true");
  for (const file of files) form.append("image", file, "image"); // the file's own name stays here
  return sendForm("/api/v1/reconstructions", form, key, onSent, signal);
}

/** Send a video and get its job; as `upload`. */
export function uploadVideo(
  file: Blob,
  fields: Record<string, string>,
  key: string,
  onSent: (fraction: number) => void,
  signal: AbortSignal,
): Promise<Job> {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append("video", file, "video");
  return sendForm("/api/v1/videos", form, key, onSent, signal);
}

function sendForm(
  path: string,
  form: FormData,
  key: string,
  onSent: (fraction: number) => void,
  signal: AbortSignal,
): Promise<Job> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", path);
    request.setRequestHeader("Prefer", "respond-async");
    request.setRequestHeader("Idempotency-Key", key);
    if (csrfToken) request.setRequestHeader("X-CSRF-Token", csrfToken);
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) onSent(event.loaded / event.total);
    });
    request.addEventListener("error", () => reject(new Problem(OFFLINE)));
    request.addEventListener("abort", () => reject(new DOMException("cancelled", "AbortError")));
    request.addEventListener("load", () => {
      const body = parse(request.responseText);
      if (request.status === 202) resolve(body as Job);
      else reject(problemFrom(request.status, body, request.getResponseHeader("Retry-After")));
    });
    signal.addEventListener("abort", () => request.abort());
    request.send(form);
  });
}
