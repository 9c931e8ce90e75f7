// A job, live: server-sent events, and asking again and again where they do not get through.
import { api } from "./client";
import { Problem } from "./problem";
import type { Job } from "./types";

export const hasEnded = (job: Job): boolean => ["succeeded", "failed", "cancelled"].includes(job.state);

const POLL_MS = 1000;
/** A stream that has said nothing for so long is taken for dead: the server speaks every second. */
const SILENCE_MS = 15_000;

/**
 * Call `onJob` with every change until the job has ended.
 *
 * @param onLost called when the job is gone, or the server answers no more.
 * @returns a function that stops watching.
 */
export function watchJob(id: string, onJob: (job: Job) => void, onLost: (error: unknown) => void): () => void {
  let stopped = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;
  const source = new EventSource(`/api/v1/jobs/${encodeURIComponent(id)}/events`);

  const stop = (): void => {
    stopped = true;
    source.close();
    clearTimeout(timer);
  };
  const tell = (job: Job): void => {
    failures = 0;
    if (hasEnded(job)) stop();
    onJob(job);
  };
  const poll = async (): Promise<void> => {
    source.close();
    if (stopped) return;
    try {
      const job = await api.job(id);
      if (!stopped) tell(job);
    } catch (error) {
      const gone = error instanceof Problem && error.status >= 400 && error.status < 500 && error.status !== 429;
      failures += 1;
      if (!stopped && (gone || failures > 20)) {
        stop();
        onLost(error);
      }
    }
    if (!stopped) timer = setTimeout(poll, POLL_MS);
  };
  const expectNews = (): void => {
    clearTimeout(timer);
    timer = setTimeout(poll, SILENCE_MS);
  };

  source.addEventListener("job", (event) => {
    if (stopped) return;
    expectNews();
    tell(JSON.parse((event as MessageEvent<string>).data) as Job);
  });
  source.addEventListener("error", () => {
    if (stopped) return;
    clearTimeout(timer);
    timer = setTimeout(poll, 300);
  });
  expectNews();
  return stop;
}
