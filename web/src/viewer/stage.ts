// The 3D view: people on a floor of metres, seen through an orbiting camera. The self-contained
// viewer of a result uses it as it is; the server's page adds the photograph and poses to it.
import { Box3, Group, type Mesh, PerspectiveCamera, Quaternion, Raycaster, Scene, Spherical, Vector2, Vector3, WebGLRenderer } from "three";
import { OrbitControls } from "three/examples/jsm/controls/OrbitControls.js";
import { makeGrid, makeLights, makeRing, makeShadow } from "./furniture";
import type { Model } from "./model";
import { type Look, PersonModel } from "./people";
import type { Head } from "./pills";

export type { Look };

const CLICK_PX = 6;
const GLIDE_MS = 450;
const FIELD_OF_VIEW = 32;
/** Around people, for their names. */
const ROOM = 1.18;
/** From the crown to the chin. */
const HEAD_M = 0.24;
export const NEAR = 0.05;
export const FAR = 300;

function cornersOf({ min, max }: Box3): Vector3[] {
  return [min.x, max.x].flatMap((x) => [min.y, max.y].flatMap((y) => [min.z, max.z].map((z) => new Vector3(x, y, z))));
}

export interface View {
  position: Vector3;
  turn: Quaternion;
  fov: number;
  target: Vector3;
}

export class Stage {
  readonly people: PersonModel[] = [];
  /** Called after each picture, to move what is drawn over it. */
  onFrame: () => void = () => undefined;
  onPick: (index: number | null) => void = () => undefined;

  protected readonly renderer: WebGLRenderer;
  protected readonly scene = new Scene();
  protected readonly furniture = new Group();
  protected readonly camera = new PerspectiveCamera(FIELD_OF_VIEW, 1, NEAR, FAR);
  protected readonly controls: OrbitControls;
  protected selected: number | null = null;
  protected look: Look = "textured";
  /** What keys do besides moving the camera. */
  protected readonly shortcuts: Record<string, () => void> = {};
  /** Seconds, of the picture that is drawn. */
  protected clock = 0;
  private readonly ring = makeRing();
  private readonly observer: ResizeObserver;
  /** What the view was last fitted to. */
  private fitted = new Box3();
  private filled = false;
  private requested = 0;
  private glideFrame = 0;
  private disposed = false;

  /**
   * @param still whether the camera jumps instead of gliding.
   * Throws when the browser cannot do WebGL.
   */
  constructor(
    protected readonly canvas: HTMLCanvasElement,
    protected readonly still: boolean,
  ) {
    this.renderer = new WebGLRenderer({ canvas, antialias: true, alpha: true });
    // Asking whether shaders compiled waits for them, one after the other.
    this.renderer.debug.checkShaderErrors = import.meta.env.DEV;
    this.renderer.setPixelRatio(Math.min(devicePixelRatio, 2));
    this.scene.add(makeLights(), this.furniture);
    this.furniture.add(this.ring);
    this.controls = new OrbitControls(this.camera, canvas);
    this.controls.enableDamping = !still;
    this.controls.dampingFactor = 0.12;
    this.controls.maxDistance = 60;
    this.controls.minDistance = 0.25;
    this.controls.addEventListener("change", () => this.request());
    this.controls.addEventListener("start", () => this.takeOver());
    canvas.addEventListener("keydown", this.key);
    this.listenForClicks();
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(canvas.parentElement ?? canvas);
    this.resize();
  }

  setPeople(models: Model[]): void {
    for (const model of models) {
      const person = new PersonModel(model);
      this.people.push(person);
      this.scene.add(person.group);
      this.furniture.add(makeShadow(person.bounds));
    }
    this.furniture.add(makeGrid(this.bounds()));
    this.filled = true;
    this.reset(false);
  }

  setLook(look: Look): void {
    this.look = look;
    for (const person of this.people) person.setLook(look);
    this.changed();
  }

  /** Mark one person, or nobody for null, and look at them. */
  select(index: number | null, glide = true): void {
    this.selected = index;
    const person = index === null ? undefined : this.people[index];
    this.ring.visible = person !== undefined && this.people.length > 1;
    if (person) {
      const size = person.bounds.getSize(new Vector3());
      const center = person.bounds.getCenter(new Vector3());
      this.ring.position.set(center.x, 0.004, center.z);
      this.ring.scale.setScalar(Math.max(0.35, Math.hypot(size.x, size.z) * 0.5));
    }
    if (glide) this.glideTo(this.viewOf(index, this.direction()));
    this.request();
  }

  /** Everyone, from where they were seen first. */
  reset(glide = true): void {
    this.glideTo(this.viewOf(this.selected, null), glide);
  }

  /** Where, in CSS pixels, everyone's heads are; null for who is behind the camera. */
  heads(): (Head | null)[] {
    const { clientWidth, clientHeight } = this.canvas;
    return this.people.map((person) => {
      const crown = person.top();
      const chin = crown.clone().addScaledVector(new Vector3(0, 1, 0).applyQuaternion(this.camera.quaternion), -HEAD_M);
      for (const point of [crown, chin]) point.project(this.camera);
      if (crown.z > 1) return null;
      const [y, below] = [crown, chin].map((point) => ((1 - point.y) / 2) * clientHeight) as [number, number];
      return { x: ((crown.x + 1) / 2) * clientWidth, y, size: below - y };
    });
  }

  /** Look at all of what is shown, as when people have taken another pose. */
  refit(): void {
    const box = this.bounds(this.selected);
    const [size, fitted] = [box, this.fitted].map((one) => one.getSize(new Vector3()).length()) as [number, number];
    // What is seen already, about as large, need not move.
    const slack = this.fitted.clone().expandByScalar(0.04 * fitted);
    if (slack.containsBox(box) && size > 0.9 * fitted) return;
    this.glideTo(this.viewOf(this.selected, this.direction()));
  }

  /** What is shown has changed: draw it. */
  changed(): void {
    this.request();
  }

  dispose(): void {
    this.disposed = true;
    cancelAnimationFrame(this.requested);
    cancelAnimationFrame(this.glideFrame);
    this.observer.disconnect();
    this.controls.dispose();
    this.canvas.removeEventListener("keydown", this.key);
    for (const person of this.people) person.dispose();
    this.renderer.dispose();
    this.renderer.forceContextLoss();
  }

  /** From people to the camera, at first and after a reset: the front, and a little from the side. */
  protected home(): Vector3 {
    return new Vector3(0.32, 0.14, 1).normalize();
  }

  /** From the target to the camera, to keep it when looking at somebody else; null for the front. */
  protected direction(): Vector3 | null {
    return this.camera.position.clone().sub(this.controls.target).normalize();
  }

  /** The present view is left: the camera is about to move. */
  protected departing(): void {
    return;
  }

  /** The canvas has another shape. */
  protected reshaped(): void {
    this.camera.updateProjectionMatrix();
  }

  /** Whether the controls move the camera. */
  protected isSteered(): boolean {
    return this.controls.enabled;
  }

  /** Before each picture. */
  protected prepare(): void {
    return;
  }

  protected bounds(index: number | null = null): Box3 {
    return this.boxes(index).reduce((whole, box) => whole.union(box), new Box3());
  }

  /** Around each of those who are looked at. */
  private boxes(index: number | null): Box3[] {
    const chosen = index === null ? this.people : this.people.slice(index, index + 1);
    const boxes = chosen.map((person) => person.extent());
    return boxes.length ? boxes : [new Box3(new Vector3(-1, 0, -1), new Vector3(1, 2, 1))];
  }

  protected glideTo(view: View, glide = true, arrived: () => void = () => undefined): void {
    cancelAnimationFrame(this.glideFrame);
    const from = { position: this.camera.position.clone(), turn: this.camera.quaternion.clone(), fov: this.camera.fov };
    const start = performance.now();
    const duration = glide && !this.still ? GLIDE_MS : 0;
    this.departing();
    this.controls.enabled = false;
    const step = (): void => {
      const part = duration ? Math.min(1, (performance.now() - start) / duration) : 1;
      const eased = part * part * (3 - 2 * part);
      this.camera.position.lerpVectors(from.position, view.position, eased);
      this.camera.quaternion.slerpQuaternions(from.turn, view.turn, eased);
      this.camera.fov = from.fov + (view.fov - from.fov) * eased;
      this.camera.updateProjectionMatrix();
      this.request();
      if (part < 1) {
        this.glideFrame = requestAnimationFrame(step);
        return;
      }
      this.glideFrame = 0;
      this.controls.target.copy(view.target);
      this.controls.enabled = true;
      arrived();
    };
    step();
  }

  /** The user moves the camera: it stops gliding. */
  protected takeOver(): void {
    if (this.glideFrame) {
      cancelAnimationFrame(this.glideFrame);
      this.glideFrame = 0;
      this.controls.enabled = true;
    }
    this.departing();
  }

  // Draws only when something has changed, which spares a phone's battery.
  protected request(): void {
    if (this.requested || this.disposed || !this.filled) return;
    this.requested = requestAnimationFrame((now) => {
      this.requested = 0;
      this.draw(now);
    });
  }

  private viewOf(index: number | null, kept: Vector3 | null): View {
    const boxes = this.boxes(index);
    this.fitted = this.bounds(index);
    const target = this.fitted.getCenter(new Vector3());
    const direction = kept ?? this.home();
    const eye = new PerspectiveCamera();
    eye.position.copy(target).add(direction);
    eye.lookAt(target);
    const [right, up] = [new Vector3(1, 0, 0), new Vector3(0, 1, 0)].map((axis) => axis.applyQuaternion(eye.quaternion));
    const slope = Math.tan((FIELD_OF_VIEW / 2) * (Math.PI / 180));
    // As near as every corner of the boxes allows. People are round: no corner of theirs is that near.
    let distance = (0.3 * ROOM) / slope;
    for (const from of boxes.flatMap(cornersOf).map((corner) => corner.sub(target))) {
      const away = Math.max(Math.abs(from.dot(up as Vector3)), Math.abs(from.dot(right as Vector3)) / this.camera.aspect);
      distance = Math.max(distance, (away * ROOM) / slope + 0.7 * from.dot(direction));
    }
    const position = target.clone().addScaledVector(direction, distance);
    return { position, target, turn: eye.quaternion.clone(), fov: FIELD_OF_VIEW };
  }

  private readonly key = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (this.obey(event.key, event.shiftKey)) event.preventDefault();
  };

  /** Do what a key says; false when it says nothing here. */
  private obey(key: string, shifting: boolean): boolean {
    const shortcut = this.shortcuts[key];
    if (shortcut) shortcut();
    else if (key === "0" || key === "Home") this.reset();
    else if (key === "Escape" && this.selected !== null) this.onPick(null);
    else return this.move(key, shifting);
    return true;
  }

  /** Turn, shift or zoom by a key; false when it is none of those. */
  private move(key: string, shifting: boolean): boolean {
    const directions: Record<string, [number, number]> = {
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
      ArrowUp: [0, 1],
      ArrowDown: [0, -1],
    };
    const zoom: Record<string, number> = { "+": 1 / 1.15, "=": 1 / 1.15, "-": 1.15, _: 1.15 };
    const step = directions[key];
    const factor = zoom[key];
    if (!step && !factor) return false;
    this.takeOver();
    const offset = this.camera.position.clone().sub(this.controls.target);
    if (step && shifting) {
      const [right, up] = step;
      const length = offset.length() * 0.05;
      const shift = new Vector3(right * length, up * length, 0).applyQuaternion(this.camera.quaternion);
      this.controls.target.add(shift);
    } else if (step) {
      const sphere = new Spherical().setFromVector3(offset);
      sphere.theta += step[0] * 0.12;
      sphere.phi -= step[1] * 0.08;
      offset.setFromSpherical(sphere.makeSafe());
    } else if (factor) {
      offset.multiplyScalar(factor);
    }
    this.camera.position.copy(this.controls.target).add(offset);
    this.controls.update();
    this.request();
    return true;
  }

  private listenForClicks(): void {
    const down = new Vector2();
    this.canvas.addEventListener("pointerdown", (event) => down.set(event.clientX, event.clientY));
    this.canvas.addEventListener("pointerup", (event) => {
      const moved = down.distanceTo(new Vector2(event.clientX, event.clientY));
      if (moved > CLICK_PX || event.button !== 0) return;
      const box = this.canvas.getBoundingClientRect();
      const point = new Vector2(
        ((event.clientX - box.left) / box.width) * 2 - 1,
        1 - ((event.clientY - box.top) / box.height) * 2,
      );
      const raycaster = new Raycaster();
      raycaster.setFromCamera(point, this.camera);
      const shown: Mesh[] = this.people.map((person) => person.shown);
      const hit = raycaster.intersectObjects(shown, false)[0];
      if (hit) this.onPick(shown.indexOf(hit.object as Mesh));
    });
  }

  private resize(): void {
    const { clientWidth, clientHeight } = this.canvas.parentElement ?? this.canvas;
    if (!clientWidth || !clientHeight || this.disposed) return;
    this.renderer.setSize(clientWidth, clientHeight, false);
    this.camera.aspect = clientWidth / clientHeight;
    this.reshaped();
    this.request();
  }

  private draw(now: number): void {
    const elapsed = Math.min(now / 1000 - this.clock, 0.1); // not a leap after a pause
    this.clock = now / 1000;
    if (this.isSteered()) this.controls.update(elapsed);
    this.prepare();
    this.renderer.render(this.scene, this.camera);
    this.onFrame();
  }
}
