// The 3D view: people on a grid of metres, seen through an orbiting camera.
import {
  Box3,
  Color,
  DirectionalLight,
  GridHelper,
  HemisphereLight,
  Material,
  Mesh,
  MeshBasicMaterial,
  MeshStandardMaterial,
  PerspectiveCamera,
  Raycaster,
  Scene,
  Spherical,
  Vector2,
  Vector3,
  WebGLRenderer,
} from "three";
import { OrbitControls } from "three/examples/jsm/controls/OrbitControls.js";
import type { Model } from "./glb";

export type Mode = "textured" | "clay" | "wireframe";

const CLICK_PX = 6;
const GLIDE_MS = 350;

export class Stage {
  readonly meshes: Mesh[] = [];
  onFrame: () => void = () => {};
  onPick: (index: number) => void = () => {};

  private readonly renderer: WebGLRenderer;
  private readonly scene = new Scene();
  private readonly camera = new PerspectiveCamera(35, 1, 0.05, 500);
  private readonly controls: OrbitControls;
  private readonly materials: Record<Mode, Material>[] = [];
  private requested = false;
  private glide = 0;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    models: Model[],
  ) {
    this.renderer = new WebGLRenderer({ canvas, antialias: true, alpha: true });
    this.renderer.setPixelRatio(Math.min(devicePixelRatio, 2));
    this.scene.add(new HemisphereLight(0xffffff, 0x8a8478, 1.6));
    const sun = new DirectionalLight(0xffffff, 2);
    sun.position.set(2, 4, 3);
    this.scene.add(sun);
    for (const model of models) this.addModel(model);
    this.addGrid();

    this.controls = new OrbitControls(this.camera, canvas);
    this.controls.enableDamping = !matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.controls.addEventListener("change", () => this.request());
    this.controls.addEventListener("start", () => cancelAnimationFrame(this.glide));
    canvas.addEventListener("keydown", (event) => this.key(event));
    this.listenForClicks();
    new ResizeObserver(() => this.resize()).observe(canvas.parentElement!);
    this.resize();
    this.look(null, false);
  }

  /** Show one person, or everyone for null. */
  look(index: number | null, smooth = true): void {
    const box = index === null ? this.bounds() : this.meshes[index].geometry.boundingBox!;
    const center = box.getCenter(new Vector3());
    const half = box.getSize(new Vector3()).multiplyScalar(0.5);
    const direction = smooth
      ? this.camera.position.clone().sub(this.controls.target).normalize()
      : new Vector3(0.28, 0.12, 1).normalize();
    // The box's extent across, up and along the view, which is level enough to take y as up.
    const level = direction.clone().setY(0).normalize();
    const across = Math.abs(level.z) * half.x + Math.abs(level.x) * half.z;
    const along = Math.abs(level.x) * half.x + Math.abs(level.z) * half.z;
    const slope = Math.tan((this.camera.fov / 2) * (Math.PI / 180));
    const distance = Math.max(half.y, across / this.camera.aspect, 0.3) * (1.12 / slope) + 0.7 * along;
    this.glideTo(center, center.clone().addScaledVector(direction, distance), smooth);
  }

  setMode(mode: Mode): void {
    this.meshes.forEach((mesh, index) => (mesh.material = this.materials[index][mode]));
    this.request();
  }

  /** Where, in CSS pixels, the point above a person's head is; null when behind the camera. */
  above(index: number): Vector2 | null {
    const box = this.meshes[index].geometry.boundingBox!;
    const point = box.getCenter(new Vector3()).setY(box.max.y + 0.06).project(this.camera);
    if (point.z > 1) return null;
    const { clientWidth, clientHeight } = this.canvas;
    return new Vector2(((point.x + 1) / 2) * clientWidth, ((1 - point.y) / 2) * clientHeight);
  }

  private addModel(model: Model): void {
    const colored = model.geometry.hasAttribute("color");
    const clay = new MeshStandardMaterial({ color: 0xcbb9a4, roughness: 0.85 });
    // The photograph already holds its light: no second one is put on it.
    const textured =
      model.texture || colored
        ? new MeshBasicMaterial({ map: model.texture, vertexColors: colored })
        : clay;
    const wireframe = new MeshBasicMaterial({
      color: 0x4a86c5,
      wireframe: true,
      transparent: true, // a body's 40,000 lines would else be one blot from afar
      opacity: 0.3,
    });
    this.materials.push({ textured, clay, wireframe });
    const mesh = new Mesh(model.geometry, textured);
    mesh.name = model.name;
    this.meshes.push(mesh);
    this.scene.add(mesh);
  }

  private addGrid(): void {
    const box = this.bounds();
    const center = box.getCenter(new Vector3());
    const size = box.getSize(new Vector3());
    const metres = Math.min(60, 2 * Math.ceil(Math.max(size.x, size.z) / 2 + 1));
    const grid = new GridHelper(metres, metres, new Color(0x999999), new Color(0x999999));
    grid.position.set(Math.round(center.x), 0, Math.round(center.z));
    const material = grid.material as Material;
    material.transparent = true;
    material.opacity = 0.35;
    material.depthWrite = false;
    this.scene.add(grid);
  }

  private bounds(): Box3 {
    const box = new Box3();
    for (const mesh of this.meshes) box.union(mesh.geometry.boundingBox!);
    return box.isEmpty() ? new Box3(new Vector3(-1, 0, -1), new Vector3(1, 2, 1)) : box;
  }

  private glideTo(target: Vector3, position: Vector3, smooth: boolean): void {
    cancelAnimationFrame(this.glide);
    const from = { target: this.controls.target.clone(), position: this.camera.position.clone() };
    const start = performance.now();
    const duration = smooth && this.controls.enableDamping ? GLIDE_MS : 0;
    const step = (): void => {
      const part = duration ? Math.min(1, (performance.now() - start) / duration) : 1;
      const eased = part * part * (3 - 2 * part);
      this.controls.target.lerpVectors(from.target, target, eased);
      this.camera.position.lerpVectors(from.position, position, eased);
      this.controls.update();
      this.request();
      if (part < 1) this.glide = requestAnimationFrame(step);
    };
    step();
  }

  private key(event: KeyboardEvent): void {
    const offset = this.camera.position.clone().sub(this.controls.target);
    const direction: Record<string, [number, number]> = {
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
      ArrowUp: [0, 1],
      ArrowDown: [0, -1],
    };
    const zoom: Record<string, number> = { "+": 1 / 1.15, "=": 1 / 1.15, "-": 1.15, _: 1.15 };
    if (event.key in direction) {
      const [right, up] = direction[event.key];
      if (event.shiftKey) {
        const step = offset.length() * 0.05;
        const shift = new Vector3(right * step, up * step, 0).applyQuaternion(this.camera.quaternion);
        this.controls.target.add(shift);
      } else {
        const sphere = new Spherical().setFromVector3(offset);
        sphere.theta += right * 0.12;
        sphere.phi -= up * 0.08;
        offset.setFromSpherical(sphere.makeSafe());
      }
    } else if (event.key in zoom) {
      offset.multiplyScalar(zoom[event.key]);
    } else {
      return;
    }
    event.preventDefault();
    cancelAnimationFrame(this.glide);
    this.camera.position.copy(this.controls.target).add(offset);
    this.controls.update();
    this.request();
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
      const hit = raycaster.intersectObjects(this.meshes, false)[0];
      if (hit) this.onPick(this.meshes.indexOf(hit.object as Mesh));
    });
  }

  private resize(): void {
    const { clientWidth, clientHeight } = this.canvas.parentElement!;
    if (!clientWidth || !clientHeight) return;
    this.renderer.setSize(clientWidth, clientHeight, false);
    this.camera.aspect = clientWidth / clientHeight;
    this.camera.updateProjectionMatrix();
    this.request();
  }

  // Draws only when something has changed, which spares a phone's battery.
  private request(): void {
    if (this.requested) return;
    this.requested = true;
    requestAnimationFrame(() => {
      this.requested = false;
      this.controls.update();
      this.renderer.render(this.scene, this.camera);
      this.onFrame();
    });
  }
}
