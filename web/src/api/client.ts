// Every request of the page, in one place.
import { OFFLINE, Problem, problemFrom } from "./problem";
import type { Account, Config, Job, Reconstruction, Session, Share, Summary, Token } from "./types";

let csrfToken: string | null = null;

/** Remember what the session says; every request that changes something sends it. */
export function setCsrfToken(token: string | null): void {
  csrfToken = token;
}

async function request<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (method !== "GET" && csrfToken) headers["X-CSRF-Token"] = csrfToken;
  let response: Response;
  try {
    response = await fetch(`/api/v1${path}`, {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
      credentials: "same-origin",
      signal: signal ?? null,
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Problem(OFFLINE);
  }
  const text = await response.text();
  const data = parse(text);
  if (!response.ok) throw problemFrom(response.status, data, response.headers.get("Retry-After"));
  return data as T;
}

function parse(text: string): unknown {
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}

const id = encodeURIComponent;

export const api = {
  config: () => request<Config>("GET", "/config"),

  session: () => request<Session>("GET", "/session"),
  guest: () => request<Session>("POST", "/sessions/guest"),
  login: (name: string, password: string) => request<Session>("POST", "/sessions", { name, password }),
  logout: () => request<null>("DELETE", "/session"),
  register: (name: string, password: string) => request<{ detail: string }>("POST", "/accounts", { name, password }),

  account: () => request<Account>("GET", "/account"),
  changePassword: (current_password: string, new_password: string) =>
    request<null>("PUT", "/account/password", { current_password, new_password }),
  deleteAccount: (password: string | null) =>
    request<null>("POST", "/account/deletion", password === null ? {} : { password }),

  tokens: () => request<{ items: Token[] }>("GET", "/tokens"),
  createToken: (name: string, scopes: string[], expires_in_days: number | null) =>
    request<Token>("POST", "/tokens", { name, scopes, expires_in_days }),
  revokeToken: (token: string) => request<null>("DELETE", `/tokens/${id(token)}`),

  results: (cursor: string | null) =>
    request<{ items: Summary[]; next_cursor: string | null; total: number }>(
      "GET",
      `/reconstructions?limit=24${cursor ? `&cursor=${id(cursor)}` : ""}`,
    ),
  result: (result: string) => request<Reconstruction>("GET", `/reconstructions/${id(result)}`),
  rename: (result: string, name: string) =>
    request<Reconstruction>("PATCH", `/reconstructions/${id(result)}`, { name }),
  remove: (result: string) => request<null>("DELETE", `/reconstructions/${id(result)}`),

  shares: (result: string) => request<{ items: Share[] }>("GET", `/reconstructions/${id(result)}/shares`),
  share: (result: string, expires_in_days: number | null) =>
    request<Share>("POST", `/reconstructions/${id(result)}/shares`, { expires_in_days }),
  revokeShare: (share: string) => request<null>("DELETE", `/shares/${id(share)}`),
  shared: (token: string) => request<Reconstruction>("GET", `/shared/${id(token)}`),

  samples: () => request<{ items: Summary[]; preparing: number | boolean }>("GET", "/samples"),
  sample: (sample: string) => request<Reconstruction>("GET", `/samples/${id(sample)}`),

  job: (job: string) => request<Job>("GET", `/jobs/${id(job)}`),
  jobs: () => request<{ items: Job[] }>("GET", "/jobs"),
  cancel: (job: string) => request<Job>("POST", `/jobs/${id(job)}/cancel`),
};

export interface UploadOptions {
  name: string;
  heightCm: number | null;
  maxPeople: number | null;
}

/**
 * Send a picture and get its job. XMLHttpRequest, because fetch does not tell how much is sent.
 *
 * @param onSent called with the fraction that has left, 0 to 1.
 */
export function upload(
  file: Blob,
  options: UploadOptions,
  key: string,
  onSent: (fraction: number) => void,
  signal: AbortSignal,
): Promise<Job> {
  const form = new FormData();
  form.append("name", options.name);
  if (options.heightCm !== null) form.append("height_cm", String(options.heightCm));
  if (options.maxPeople !== null) form.append("max_people", String(options.maxPeople));
  form.append("image", file, "image"); // the file's own name stays here
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/api/v1/reconstructions");
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
