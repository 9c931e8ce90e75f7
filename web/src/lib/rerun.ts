// A result that is made anew: its job, from the request to the new result.
import { reactive } from "vue";
import { api } from "../api/client";
import { Problem, type ProblemBody, sentence } from "../api/problem";
import type { Job, Reconstruction } from "../api/types";
import { hasEnded, watchJob } from "../api/watch";
import { type Correction, hintsOf } from "./corrections";
import { refreshSession } from "./session";

export interface Rerun {
  running: boolean;
  job: Job | null;
  problem: Pick<ProblemBody, "code" | "title" | "detail"> | null;
  start: (corrections: readonly Correction[]) => Promise<void>;
  /** Go on with one that was begun before this page was loaded. */
  resume: () => Promise<void>;
  cancel: () => Promise<void>;
  forget: () => void;
  stop: () => void;
}

/** @param renewed is given the result once it is made anew. */
export function useRerun(id: string, renewed: (result: Reconstruction) => void): Rerun {
  let unwatch: () => void = () => undefined;

  function fail(error: unknown): void {
    rerun.running = false;
    const [code, title] = error instanceof Problem ? [error.code, error.title] : ["internal", "It did not work"];
    rerun.problem = { code, title, detail: sentence(error) };
  }

  function follow(job: Job): void {
    rerun.job = job;
    rerun.running = true;
    unwatch();
    unwatch = watchJob(job.id, (news) => void heard(news), fail);
  }

  async function heard(job: Job): Promise<void> {
    rerun.job = job;
    if (!hasEnded(job)) return;
    if (job.state === "succeeded") {
      try {
        renewed(await api.result(id));
        rerun.running = false;
      } catch (error) {
        fail(error);
      }
      return;
    }
    rerun.running = false;
    rerun.problem = job.state === "failed" ? job.problem : null;
  }

  const rerun: Rerun = reactive({
    running: false,
    job: null,
    problem: null,
    async start(corrections) {
      Object.assign(rerun, { running: true, job: null, problem: null });
      const attempt = (): Promise<Job> => api.correct(id, hintsOf(corrections));
      try {
        follow(
          await attempt().catch(async (error: unknown) => {
            // Another tab has logged in or out since.
            if (!(error instanceof Problem && error.code === "csrf")) throw error;
            await refreshSession();
            return attempt();
          }),
        );
      } catch (error) {
        fail(error);
      }
    },
    async resume() {
      const { items } = await api.jobs();
      const job = items.find((one) => one.replaces === id && !hasEnded(one));
      if (job) follow(job);
    },
    async cancel() {
      if (!rerun.job) return;
      try {
        rerun.job = await api.cancel(rerun.job.id);
      } catch (error) {
        fail(error);
      }
    },
    forget() {
      rerun.problem = null;
    },
    stop: () => unwatch(),
  });
  return rerun;
}
