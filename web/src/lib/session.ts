// Who is using the page, and what the server allows.
import { computed, reactive } from "vue";
import { api, setCsrfToken } from "../api/client";
import { Problem } from "../api/problem";
import type { Config, Session } from "../api/types";

const state = reactive<{ session: Session | null; config: Config | null }>({ session: null, config: null });

function remember(session: Session): void {
  state.session = session;
  setCsrfToken(session.csrf_token);
}

let starting: Promise<void> | null = null;

/** Ask the server who we are and what it allows; once. */
export function startSession(): Promise<void> {
  starting ??= Promise.all([
    api.session().then(remember),
    api.config().then((config) => {
      state.config = config;
    }),
  ]).then(
    () => undefined,
    (error: unknown) => {
      starting = null; // another try may do better
      throw error;
    },
  );
  return starting;
}

export const account = computed(() => state.session?.account ?? null);
export const config = computed(() => state.config);
/** Somebody with a name and a password, not a guest. */
export const loggedIn = computed(() => account.value !== null && !account.value.guest);

export async function logIn(name: string, password: string): Promise<void> {
  const attempt = async (): Promise<void> => remember(await api.login(name, password));
  await attempt().catch(async (error: unknown) => {
    // Another tab has logged in or out since.
    if (!(error instanceof Problem && error.code === "csrf")) throw error;
    await refreshSession();
    await attempt();
  });
}

export async function logOut(): Promise<void> {
  try {
    await api.logout();
  } catch (error) {
    // The session may have ended by itself.
    if (!(error instanceof Problem && error.status === 401)) throw error;
  }
  remember({ account: null, csrf_token: null, expires_at: null });
}

/** Forget a session that the server has ended. */
export function forgetSession(): void {
  remember({ account: null, csrf_token: null, expires_at: null });
}

/** Ask anew who we are: another tab may have logged in or out, or the session has ended. */
export async function refreshSession(): Promise<void> {
  remember(await api.session());
}

let ensuring: Promise<boolean> | null = null;

/** Make sure that uploads have an owner. Resolves to false when one has to log in for that. */
export function ensureSession(): Promise<boolean> {
  // One at a time: two guests would each own half of the pictures.
  ensuring ??= findOwner().finally(() => (ensuring = null));
  return ensuring;
}

async function findOwner(): Promise<boolean> {
  await startSession();
  if (account.value) return true;
  if (!config.value?.guests) return false;
  // One tab at a time, too: the second gets the guest of the first.
  const begin = async (): Promise<void> => remember(await api.guest());
  if ("locks" in navigator) await navigator.locks.request("vitruvian-guest", begin);
  else await begin(); // over plain http from another machine
  return true;
}
