// One task at a time of a panel: whether it runs, and in a sentence why the last one failed.
import { ref, type Ref } from "vue";
import { sentence } from "../api/problem";

export function useAttempt(): {
  busy: Ref<boolean>;
  trouble: Ref<string>;
  attempt: (task: () => Promise<void>) => Promise<void>;
} {
  const busy = ref(false);
  const trouble = ref("");

  async function attempt(task: () => Promise<void>): Promise<void> {
    busy.value = true;
    trouble.value = "";
    try {
      await task();
    } catch (error) {
      trouble.value = sentence(error);
    } finally {
      busy.value = false;
    }
  }

  return { busy, trouble, attempt };
}
