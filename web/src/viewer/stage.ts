// The 3D view: people on a floor of metres, seen through an orbiting camera or the photograph's.
import { Box3, Group, type Mesh, PerspectiveCamera, Quaternion, Raycaster, Scene, Spherical, Vector2, Vector3, WebGLRenderer } from "three";
import { OrbitControls } from "three/examples/jsm/controls/OrbitControls.js";
import type { Avatar } from "./avatar";
import { fitInside, type PhotoCamera, photoFieldOfView, photoPose, photoProjection } from "./camera";
import { makeGrid, makeLights, makeRing, makeShadow } from "./furniture";
import type { Model } from "./load";
import { type Look, PersonModel } from "./people";
import { moves, type PoseName } from "./poses";
import { Skeleton } from "./skeleton";

export type { Look };

const CLICK_PX = 6;
const GLIDE_MS = 450;
const FIELD_OF_VIEW = 32;
const NEAR = 0.05;
const FAR = 300;

interface View {
  position: Vector3;
  turn: Quaternion;
  fov: number;
  target: Vector3;
  photo: boolean;
}

export class Stage {
  readonly people: PersonModel[] = [];
  /** Called after each picture, to move what is drawn over it. */
  onFrame: () => void = () => undefined;
  onPick: (index: number | null) => void = () => undefined;
  onViewChange: (isPhoto: boolean) => void = () => undefined;

  private readonly renderer: WebGLRenderer;
  private readonly scene = new Scene();
  private readonly furniture = new Group();
  private readonly ring = makeRing();
  private readonly camera = new PerspectiveCamera(FIELD_OF_VIEW, 1, NEAR, FAR);
  private readonly controls: OrbitControls;
  private readonly skeletons = new Map<number, Skeleton>();
  private readonly observer: ResizeObserver;
  private overlay: HTMLCanvasElement | null = null;
  private overlayStale = true;
  private isPhoto = false;
  private selected: number | null = null;
  private look: Look = "textured";
  private skeletonShown = false;
  private posing: { name: PoseName; amount: number } = { name: "stand", amount: 0 };
  private requested = 0;
  private glideFrame = 0;
  private clock = 0;
  private disposed = false;

  /** Throws when the browser cannot do WebGL. */
  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly photo: PhotoCamera | null,
    private readonly still: boolean,
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
    this.controls.autoRotateSpeed = 2.4;
    this.controls.addEventListener("change", () => this.request());
    this.controls.addEventListener("start", () => this.leavePhoto());
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
    if (glide) this.glideTo(this.viewOf(this.bounds(index), true));
    this.request();
  }

  /** Everyone, from the front and a little to the side. */
  reset(glide = true): void {
    this.glideTo(this.viewOf(this.bounds(this.selected), false), glide);
  }

  /** Look through the camera that took the photograph. */
  viewFromPhoto(glide = true): void {
    if (!this.photo) return;
    const pose = photoPose(this.photo);
    const position = new Vector3().setFromMatrixPosition(pose);
    const turn = new Quaternion().setFromRotationMatrix(pose);
    const place = this.photoPlace();
    const distance = this.bounds(this.selected).getCenter(new Vector3()).distanceTo(position);
    const target = new Vector3(0, 0, -distance).applyQuaternion(turn).add(position);
    const fov = photoFieldOfView(this.photo, place, this.canvas.clientHeight || 1);
    this.glideTo({ position, turn, fov, target, photo: true }, glide);
  }

  setTurntable(on: boolean): void {
    if (on) this.leavePhoto();
    this.controls.autoRotate = on;
    this.request();
  }

  setAvatar(index: number, avatar: Avatar): void {
    this.people[index]?.setAvatar(avatar);
    this.people[index]?.setLook(this.look);
    const skeleton = new Skeleton(avatar.segments(), 0xff8a4c);
    skeleton.mesh.visible = this.skeletonShown;
    this.skeletons.set(index, skeleton);
    this.scene.add(skeleton.mesh);
    this.applyPose();
    this.changed();
  }

  showSkeleton(shown: boolean): void {
    this.skeletonShown = shown;
    for (const skeleton of this.skeletons.values()) skeleton.mesh.visible = shown;
    this.changed();
  }

  setPose(name: PoseName, amount: number): void {
    this.posing = { name, amount };
    this.applyPose();
    this.changed();
  }

  /** Draw the scene, as the photograph's camera sees it, on this canvas from now on. */
  setOverlay(canvas: HTMLCanvasElement | null): void {
    this.overlay = canvas;
    this.changed();
  }

  /** Where, in CSS pixels, the point above a person's head is; null when behind the camera. */
  above(index: number): Vector2 | null {
    const point = this.people[index]?.top().project(this.camera);
    if (!point || point.z > 1) return null;
    const { clientWidth, clientHeight } = this.canvas;
    return new Vector2(((point.x + 1) / 2) * clientWidth, ((1 - point.y) / 2) * clientHeight);
  }

  changed(): void {
    this.overlayStale = true;
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
    for (const skeleton of this.skeletons.values()) skeleton.dispose();
    this.renderer.dispose();
    this.renderer.forceContextLoss();
  }

  private applyPose(): void {
    const { name, amount } = this.posing;
    for (const [index, person] of this.people.entries()) {
      person.avatar?.pose(name, amount, this.still ? 0 : this.clock);
      person.showPosed(amount > 0);
      this.skeletons.get(index)?.update();
    }
  }

  private bounds(index: number | null = null): Box3 {
    const box = new Box3();
    const chosen = index === null ? this.people : this.people.slice(index, index + 1);
    for (const person of chosen) box.union(person.bounds);
    return box.isEmpty() ? new Box3(new Vector3(-1, 0, -1), new Vector3(1, 2, 1)) : box;
  }

  private viewOf(box: Box3, keepDirection: boolean): View {
    const target = box.getCenter(new Vector3());
    const half = box.getSize(new Vector3()).multiplyScalar(0.5);
    const direction =
      keepDirection && !this.isPhoto
        ? this.camera.position.clone().sub(this.controls.target).normalize()
        : new Vector3(0.32, 0.14, 1).normalize();
    // The box's extent across, up and along the view, which is level enough to take y as up.
    const level = direction.clone().setY(0).normalize();
    const across = Math.abs(level.z) * half.x + Math.abs(level.x) * half.z;
    const along = Math.abs(level.x) * half.x + Math.abs(level.z) * half.z;
    const slope = Math.tan((FIELD_OF_VIEW / 2) * (Math.PI / 180));
    const distance = Math.max(half.y, across / this.camera.aspect, 0.3) * (1.18 / slope) + 0.7 * along;
    const position = target.clone().addScaledVector(direction, distance);
    const eye = new PerspectiveCamera();
    eye.position.copy(position);
    eye.lookAt(target);
    return { position, target, turn: eye.quaternion.clone(), fov: FIELD_OF_VIEW, photo: false };
  }

  private glideTo(view: View, glide = true): void {
    cancelAnimationFrame(this.glideFrame);
    const from = { position: this.camera.position.clone(), turn: this.camera.quaternion.clone(), fov: this.camera.fov };
    const start = performance.now();
    const duration = glide && !this.still ? GLIDE_MS : 0;
    this.setPhotoState(false);
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
      if (view.photo) this.setPhotoState(true);
    };
    step();
  }

  private photoPlace(): { x: number; y: number; width: number; height: number } {
    const { clientWidth, clientHeight } = this.canvas;
    return fitInside(this.photo?.width ?? 1, this.photo?.height ?? 1, clientWidth || 1, clientHeight || 1);
  }

  private setPhotoState(isPhoto: boolean): void {
    if (isPhoto && this.photo) {
      const { clientWidth, clientHeight } = this.canvas;
      this.camera.projectionMatrix.copy(
        photoProjection(this.photo, this.photoPlace(), clientWidth || 1, clientHeight || 1, NEAR, FAR),
      );
      this.camera.projectionMatrixInverse.copy(this.camera.projectionMatrix).invert();
    }
    if (isPhoto !== this.isPhoto) {
      this.isPhoto = isPhoto;
      this.onViewChange(isPhoto);
    }
  }

  private leavePhoto(): void {
    if (this.glideFrame) {
      cancelAnimationFrame(this.glideFrame);
      this.glideFrame = 0;
      this.controls.enabled = true;
    }
    if (!this.isPhoto) return;
    this.camera.updateProjectionMatrix();
    this.setPhotoState(false);
  }

  private readonly key = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const offset = this.camera.position.clone().sub(this.controls.target);
    const direction: Record<string, [number, number]> = {
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
      ArrowUp: [0, 1],
      ArrowDown: [0, -1],
    };
    const zoom: Record<string, number> = { "+": 1 / 1.15, "=": 1 / 1.15, "-": 1.15, _: 1.15 };
    const step = direction[event.key];
    const factor = zoom[event.key];
    if (event.key === "p") this.viewFromPhoto();
    else if (event.key === "0" || event.key === "Home") this.reset();
    else if (event.key === "Escape" && this.selected !== null) this.onPick(null);
    else if (step || factor) {
      this.leavePhoto();
      if (step && event.shiftKey) {
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
    } else return;
    event.preventDefault();
  };

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
    if (this.isPhoto) this.viewFromPhoto(false);
    else this.camera.updateProjectionMatrix();
    this.request();
  }

  // Draws only when something has changed, which spares a phone's battery.
  private request(): void {
    if (this.requested || this.disposed || !this.people.length) return;
    this.requested = requestAnimationFrame((now) => {
      this.requested = 0;
      this.draw(now);
    });
  }

  private draw(now: number): void {
    const elapsed = Math.min(now / 1000 - this.clock, 0.1); // not a leap after a pause
    this.clock = now / 1000;
    const moving = moves(this.posing.name) && this.posing.amount > 0.3 && !this.still;
    if (moving) {
      this.applyPose();
      this.request();
    }
    if (!this.isPhoto && this.controls.enabled) this.controls.update(elapsed);
    if (this.controls.autoRotate) this.request();
    if (this.overlay && this.overlayStale) this.drawOverlay(this.overlay);
    this.renderer.render(this.scene, this.camera);
    this.onFrame();
  }

  /** Render from the photograph's camera and copy the picture: one WebGL context serves both. */
  private drawOverlay(target: HTMLCanvasElement): void {
    const context = target.getContext("2d");
    const { clientWidth, clientHeight } = target;
    if (!context || !this.photo || !clientWidth || !clientHeight) return;
    this.overlayStale = false;
    const eye = new PerspectiveCamera();
    photoPose(this.photo).decompose(eye.position, eye.quaternion, eye.scale);
    const place = { x: 0, y: 0, width: clientWidth, height: clientHeight };
    eye.projectionMatrix.copy(photoProjection(this.photo, place, clientWidth, clientHeight, NEAR, FAR));
    eye.projectionMatrixInverse.copy(eye.projectionMatrix).invert();
    eye.updateMatrixWorld(true);
    const before = this.renderer.getSize(new Vector2());
    this.furniture.visible = false;
    this.renderer.setSize(clientWidth, clientHeight, false);
    this.renderer.render(this.scene, eye);
    const { width, height } = this.renderer.domElement;
    target.width = width;
    target.height = height;
    context.drawImage(this.renderer.domElement, 0, 0);
    this.furniture.visible = true;
    this.renderer.setSize(before.x, before.y, false);
  }
}
