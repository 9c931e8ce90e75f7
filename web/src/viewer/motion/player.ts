// A clip beside its people: film, free view, scrubber and switches, made inside of an element that
// is given. The result's own page and the server's page both use it.
import { frameAt, inside, type MotionData } from "./data";
import { COLORS, type MotionLook, MotionStage, readScene } from "./stage";

export interface MotionSource {
  data: MotionData;
  /** `people.glb`. */
  scene: ArrayBuffer;
  /** Where the film is: every frame of `data.times`, at those times. */
  film: string;
}

const SPEEDS = [0.1, 0.25, 0.5, 1, 2];
const LOOKS: [MotionLook, string][] = [
  ["textured", "Textured"],
  ["clay", "Clay"],
  ["wireframe", "Wireframe"],
];

function make<K extends keyof HTMLElementTagNameMap>(
  parent: HTMLElement,
  tag: K,
  attributes: Record<string, string> = {},
  text = "",
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text) element.textContent = text;
  parent.append(element);
  return element;
}

function toggle(parent: HTMLElement, label: string, on: boolean, change: (on: boolean) => void): HTMLButtonElement {
  const button = make(parent, "button", { type: "button", "aria-pressed": String(on) }, label);
  button.addEventListener("click", () => {
    const now = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(now));
    change(now);
  });
  return button;
}

export class MotionPlayer {
  private readonly times: number[];
  private readonly video: HTMLVideoElement;
  private readonly scrubber: HTMLInputElement;
  private readonly readout: HTMLElement;
  private readonly playButton: HTMLButtonElement;
  private frame = 0;
  private playing = false;
  private filmed = true;
  private speed = 1;
  private ticking = 0;
  /** Without a film: when, by the page's clock, the clip would have begun. */
  private began = 0;

  private constructor(
    private readonly root: HTMLElement,
    private readonly source: MotionSource,
    private readonly stage: MotionStage,
    parts: { video: HTMLVideoElement; film: HTMLElement; bar: HTMLElement; switches: HTMLElement; people: HTMLElement },
  ) {
    this.times = source.data.times;
    this.video = parts.video;
    this.makeSwitches(parts.switches, parts.film);
    this.makePeople(parts.people);
    const bar = parts.bar;
    this.playButton = make(bar, "button", { type: "button", class: "motion-play" }, "Play");
    this.playButton.addEventListener("click", () => this.setPlaying(!this.playing));
    const back = make(bar, "button", { type: "button", "aria-label": "One frame back" }, "‹");
    back.addEventListener("click", () => this.step(-1));
    const ahead = make(bar, "button", { type: "button", "aria-label": "One frame ahead" }, "›");
    ahead.addEventListener("click", () => this.step(1));
    this.scrubber = make(bar, "input", {
      type: "range",
      min: "0",
      max: String(this.times.length - 1),
      value: "0",
      "aria-label": "Frame",
    });
    this.scrubber.addEventListener("input", () => this.seek(Number(this.scrubber.value)));
    this.readout = make(bar, "output", { class: "motion-time" });
    const speed = make(bar, "select", { "aria-label": "Speed" });
    for (const value of SPEEDS) make(speed, "option", { value: String(value) }, `${value}×`).selected = value === 1;
    speed.addEventListener("change", () => this.setSpeed(Number(speed.value)));
    root.addEventListener("keydown", this.key);
    this.video.addEventListener("error", () => this.noFilm(parts.film));
    this.show(0);
  }

  /** Fill an element with a player. Rejects when the browser cannot do WebGL. */
  static async open(root: HTMLElement, source: MotionSource): Promise<MotionPlayer> {
    const gltf = await readScene(source.scene);
    root.classList.add("motion");
    const { width, height } = source.data.camera;
    const panes = make(root, "div", { class: "motion-panes" });
    const left = make(panes, "div", { class: "motion-left" });
    const film = make(left, "div", { class: "motion-film" });
    film.style.setProperty("--aspect", String(width / height));
    const video = make(film, "video", { playsinline: "", preload: "auto", "aria-label": "The clip" });
    video.muted = true;
    video.loop = true;
    const people = make(left, "div", { class: "motion-people", role: "group", "aria-label": "People" });
    const view = make(panes, "div", {
      class: "motion-view",
      role: "img",
      "aria-label": `3D view of ${source.data.people.map((one) => one.label).join(", ")}`,
    });
    const canvas = make(panes, "canvas", { class: "motion-canvas", "aria-hidden": "true" });
    const bar = make(root, "div", { class: "motion-bar", role: "group", "aria-label": "Playback" });
    const switches = make(root, "div", { class: "motion-switches" });
    const stage = new MotionStage(canvas, view, film, source.data, gltf);
    const player = new MotionPlayer(root, source, stage, { video, film, bar, switches, people });
    video.src = source.film;
    return player;
  }

  dispose(): void {
    this.setPlaying(false);
    this.root.removeEventListener("keydown", this.key);
    this.stage.dispose();
    this.video.removeAttribute("src");
    this.video.load();
  }

  private makeSwitches(place: HTMLElement, film: HTMLElement): void {
    const looks = make(place, "div", { role: "group", "aria-label": "Surface" });
    const buttons = LOOKS.map(([look, label]) => {
      const button = make(looks, "button", { type: "button", "aria-pressed": String(look === "textured") }, label);
      button.addEventListener("click", () => {
        for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
        this.stage.setLook(look);
      });
      return button;
    });
    const shown = make(place, "div", { role: "group", "aria-label": "Shown" });
    film.classList.add("motion-overlaid");
    toggle(shown, "Overlay", true, (on) => {
      film.classList.toggle("motion-overlaid", on);
      this.stage.setOverlay(on);
    });
    toggle(shown, "Paths", true, (on) => this.stage.setPaths(on));
    toggle(shown, "Follow", false, (on) => this.stage.setFollowing(on));
    make(shown, "button", { type: "button" }, "Reset view").addEventListener("click", () => this.stage.reset());
  }

  private makePeople(place: HTMLElement): void {
    this.source.data.people.forEach((person, index) => {
      const button = toggle(place, "", true, (on) => this.stage.setWanted(index, on));
      make(button, "i").style.background = COLORS[index % COLORS.length] ?? "";
      make(button, "span", {}, person.label);
      make(button, "span", {}, person.height);
    });
  }

  private noFilm(film: HTMLElement): void {
    this.filmed = false;
    this.video.hidden = true;
    make(film, "p", { role: "status" }, "This browser cannot play the clip (AV1); the people move without it.");
  }

  /** Go to a frame by hand. */
  private seek(frame: number): void {
    this.setPlaying(false);
    this.show(Math.min(Math.max(frame, 0), this.times.length - 1));
    if (this.filmed) this.video.currentTime = inside(this.times, this.frame);
  }

  private step(by: number): void {
    const count = this.times.length;
    this.seek((this.frame + by + count) % count);
  }

  private setSpeed(speed: number): void {
    this.speed = speed;
    this.video.playbackRate = speed;
    this.began = performance.now() - (1000 * (this.times[this.frame] ?? 0)) / speed;
  }

  private setPlaying(on: boolean): void {
    this.playing = on;
    this.playButton.textContent = on ? "Pause" : "Play";
    cancelAnimationFrame(this.ticking);
    if (!on) {
      this.video.pause();
      return;
    }
    this.setSpeed(this.speed);
    if (this.filmed) this.video.play().catch(() => this.setPlaying(false));
    this.ticking = requestAnimationFrame(this.tick);
  }

  private readonly tick = (now: number): void => {
    const last = this.times.at(-1) ?? 0;
    const seconds = this.filmed ? this.video.currentTime : (((now - this.began) / 1000) * this.speed) % (last || 1);
    const frame = frameAt(this.times, seconds);
    if (frame !== this.frame) this.show(frame);
    if (this.playing) this.ticking = requestAnimationFrame(this.tick);
  };

  private show(frame: number): void {
    this.frame = frame;
    this.stage.show(frame);
    this.scrubber.value = String(frame);
    const text = `${(this.times[frame] ?? 0).toFixed(2)} s, frame ${this.source.data.numbers[frame] ?? frame}`;
    this.readout.textContent = text;
    this.scrubber.setAttribute("aria-valuetext", text);
    this.root.dataset["frame"] = String(frame);
  }

  private readonly key = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const element = event.target as HTMLElement;
    if (element.tagName === "SELECT" || (event.key === " " && element.tagName === "BUTTON")) return;
    const actions: Record<string, () => void> = {
      " ": () => this.setPlaying(!this.playing),
      ",": () => this.step(-1),
      ".": () => this.step(1),
      "0": () => this.stage.reset(),
    };
    const action = actions[event.key];
    if (!action) return;
    action();
    event.preventDefault();
  };
}
