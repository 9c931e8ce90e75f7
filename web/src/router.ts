import { nextTick } from "vue";
import { createRouter, createWebHistory } from "vue-router";
import { announce } from "./lib/announce";
import { loggedIn, startSession } from "./lib/session";
import LandingPage from "./pages/LandingPage.vue";

declare module "vue-router" {
  interface RouteMeta {
    title?: string;
    /** Needs somebody with an account. */
    account?: boolean;
  }
}

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: "/", component: LandingPage, meta: { title: "Photographs to 3D people" } },
    { path: "/login", component: () => import("./pages/LoginPage.vue"), meta: { title: "Log in" } },
    { path: "/register", component: () => import("./pages/RegisterPage.vue"), meta: { title: "Register" } },
    { path: "/history", component: () => import("./pages/HistoryPage.vue"), meta: { title: "History" } },
    { path: "/account", component: () => import("./pages/AccountPage.vue"), meta: { title: "Account", account: true } },
    { path: "/jobs/:id", component: () => import("./pages/JobPage.vue"), props: true, meta: { title: "In progress" } },
    {
      path: "/r/:id",
      component: () => import("./pages/ResultPage.vue"),
      props: (route) => ({ kind: "own", id: route.params["id"] }),
      meta: { title: "Result" },
    },
    {
      path: "/s/:id",
      component: () => import("./pages/ResultPage.vue"),
      props: (route) => ({ kind: "shared", id: route.params["id"] }),
      meta: { title: "Shared result" },
    },
    {
      path: "/samples/:id",
      component: () => import("./pages/ResultPage.vue"),
      props: (route) => ({ kind: "sample", id: route.params["id"] }),
      meta: { title: "Sample" },
    },
    { path: "/measure", component: () => import("./pages/MeasurePage.vue"), meta: { title: "Measure" } },
    {
      path: "/measure/:id",
      component: () => import("./pages/MeasuredPage.vue"),
      props: true,
      meta: { title: "Measures" },
    },
    { path: "/video", component: () => import("./pages/VideoPage.vue"), meta: { title: "Video" } },
    {
      path: "/v/:id",
      component: () => import("./pages/MovingPage.vue"),
      props: true,
      meta: { title: "Result" },
    },
    { path: "/docs", component: () => import("./pages/ApiPage.vue"), meta: { title: "The API" } },
    { path: "/:rest(.*)*", component: () => import("./pages/NotFoundPage.vue"), meta: { title: "Not found" } },
  ],
  scrollBehavior: (to, _from, saved) => saved ?? (to.hash ? { el: to.hash } : { top: 0 }),
});

export function setTitle(title: string | undefined): void {
  document.title = title ? `${title} · Vitruvian` : "Vitruvian";
}

router.beforeEach(async (to) => {
  if (!to.meta.account) return true;
  try {
    await startSession();
  } catch {
    return true; // the page itself says that the server cannot be reached
  }
  return loggedIn.value ? true : { path: "/login", query: { next: to.fullPath } };
});

let first = true;
router.afterEach((to, from) => {
  if (to.path === from.path && !first) return;
  setTitle(to.meta.title);
  if (!first) {
    // As a loaded page would: the focus goes to its start, and its name is said.
    void nextTick(() => {
      document.getElementById("main")?.focus({ preventScroll: true });
      announce(to.meta.title ?? "");
    });
  }
  first = false;
});
