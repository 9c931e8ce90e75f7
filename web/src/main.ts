import { createApp } from "vue";
import App from "./App.vue";
import { startSession } from "./lib/session";
import { applyTheme } from "./lib/theme";
import { router } from "./router";
import "./styles/base.css";

applyTheme();
startSession().catch(() => undefined); // pages say it where it matters
createApp(App).use(router).mount("#app");
