// Where to go after logging in: only to a place of this page.

export function nextPath(next: unknown): string {
  // "//host" and "/\host" would leave it.
  return typeof next === "string" && /^\/(?![/\\])/.test(next) ? next : "/";
}
