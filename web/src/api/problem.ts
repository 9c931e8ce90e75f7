// What goes wrong between page and server, as one kind of error (RFC 9457 on the wire).

export interface ProblemBody {
  code: string;
  title: string;
  status: number;
  detail: string;
  errors?: { field: string; detail: string }[];
}

export class Problem extends Error {
  readonly code: string;
  readonly title: string;
  readonly status: number;
  readonly errors: { field: string; detail: string }[];
  /** Seconds after which another try makes sense; null when the server does not say. */
  readonly retryAfter: number | null;

  constructor(body: ProblemBody, retryAfter: number | null = null) {
    super(body.detail);
    this.name = "Problem";
    this.code = body.code;
    this.title = body.title;
    this.status = body.status;
    this.errors = body.errors ?? [];
    this.retryAfter = retryAfter;
  }
}

export const OFFLINE: ProblemBody = {
  code: "offline",
  title: "No answer",
  status: 0,
  detail: "The server cannot be reached. Check the connection and try again.",
};

/** The problem in an answer's body, whatever a proxy between us made of it. */
export function problemFrom(status: number, body: unknown, retryAfter: string | null = null): Problem {
  const seconds = retryAfter === null ? Number.NaN : Number(retryAfter);
  const wait = Number.isFinite(seconds) ? seconds : null;
  if (typeof body === "object" && body !== null && "detail" in body && "code" in body) {
    return new Problem({ ...OFFLINE, ...(body as ProblemBody), status }, wait);
  }
  const detail =
    status === 413
      ? "The picture is larger than the server takes."
      : `The server answered with an error (${status}). Try again in a moment.`;
  return new Problem({ code: "internal", title: "Something went wrong", status, detail }, wait);
}

/** A sentence for people about whatever was thrown. */
export function sentence(error: unknown): string {
  if (error instanceof Problem) {
    const wait = error.retryAfter;
    const hint = wait !== null && wait > 1 && error.status === 429 ? ` Try again in ${duration(wait)}.` : "";
    return error.message + (/try again/i.test(error.message) ? "" : hint);
  }
  return "Something went wrong in the page. Reload it and try again.";
}

function duration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} seconds`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 90 ? `${minutes} minutes` : `${Math.ceil(minutes / 60)} hours`;
}

/** What a person can do about a picture that did not work, by the problem's code. */
export function advice(code: string): string[] {
  switch (code) {
    case "nobody-found":
      return [
        "Take a picture in which a person is seen from head to foot.",
        "Let the person fill at least a third of the picture's height.",
        "Use even light, and a background that differs from the clothes.",
      ];
    case "too-large":
      return ["Send a smaller copy: 2,000 pixels on the longer side are plenty."];
    case "unsupported-picture":
    case "not-a-picture":
      return ["Save the picture as JPEG, PNG, WebP or HEIC and send that."];
    case "video":
    case "animation":
      return ["Save one frame of it as JPEG and send that."];
    case "too-long":
      return ["Say from which second to which it is to be used, or cut it."];
    case "not-a-clip":
    case "damaged-clip":
      return ["Save the video as MP4 with H.264 and send that."];
    case "too-small":
      return ["Send the original picture, not its thumbnail."];
    case "bad-picture":
    case "damaged-picture":
      return [
        "Open the picture in a viewer and save it anew as JPEG.",
        "If it came through a messenger, ask for the original file.",
      ];
    case "queue-full":
    case "rate-limited":
    case "too-many-jobs":
      return ["Wait a moment, then try again. Pictures that are already waiting keep their place."];
    case "quota-exceeded":
      return ["Delete results that you no longer need from your history."];
    case "took-too-long":
    case "crashed":
      return ["Try a smaller copy of the picture, or one with fewer people."];
    default:
      return ["Try again. If it happens with every picture, tell whoever runs this server."];
  }
}
