// People who move, seen from anywhere, and through the clip's camera over its film. One canvas lies
// over both panes: its parts are drawn one after the other, so that one WebGL context is enough.
import {
  type AnimationClip,
  AnimationMixer,
  Box3,
  Color,
  Group,
  type Material,
  type MeshStandardMaterial,
  type Object3D,
  PerspectiveCamera,
  Scene,
  type SkinnedMesh,
  Spherical,
  Vector3,
  WebGLRenderer,
} from "three";
import { OrbitControls } from "three/examples/jsm/controls/OrbitControls.js";
import { type GLTF, GLTFLoader } from "three/examples/jsm/loaders/GLTFLoader.js";
import { photoPose, photoProjection } from "../camera";
import { makeGrid, makeLights } from "../furniture";
import { normalMapOf, textureOf } from "../model";
import { drawTwice, makeLooks } from "../people";
import { FAR, NEAR } from "../stage";
import { cameraAt, frameAt, isPresent, type MotionData } from "./data";
import { FloorPath } from "./path";

export type MotionLook = "textured" | "clay" | "wireframe";

/** Of people's paths and buttons, in turn. */
export const COLORS = ["#d6543c", "#307aba", "#489454", "#b0781e", "#8256a8"];
const FIELD_OF_VIEW = 32;
const ASIDE = 0.6; // radians between the clip's camera and the first view
const ELEVATION = 1.32; // radians from the zenith
const BODY_M = 0.9; // half of a person

interface Actor {
  mesh: SkinnedMesh;
  hips: Object3D;
  looks: Record<string, Material | Material[]>;
  path: FloorPath;
  wanted: boolean;
}

export async function readScene(data: ArrayBuffer): Promise<GLTF> {
  return new GLTFLoader().parseAsync(data, "");
}

export class MotionStage {
  private readonly renderer: WebGLRenderer;
  private readonly scene = new Scene();
  private readonly floor = new Group();
  private readonly camera = new PerspectiveCamera(FIELD_OF_VIEW, 1, NEAR, FAR);
  private readonly eye = new PerspectiveCamera();
  private readonly controls: OrbitControls;
  private readonly observer: ResizeObserver;
  private readonly mixer: AnimationMixer;
  private readonly actors: Actor[] = [];
  private readonly walked = new Box3();
  private readonly lastKey: number;
  private frame = 0;
  private overlaid = true;
  private following = false;
  private requested = 0;
  private disposed = false;

  /**
   * @param canvas over both panes; lets pointers through.
   * @param view the pane of the free view, which takes them.
   * @param film the pane that the clip fills, whole and centred.
   * Throws when the browser cannot do WebGL.
   */
  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly view: HTMLElement,
    private readonly film: HTMLElement,
    private readonly data: MotionData,
    gltf: GLTF,
  ) {
    this.renderer = new WebGLRenderer({ canvas, antialias: true, alpha: true });
    this.renderer.debug.checkShaderErrors = import.meta.env.DEV;
    this.renderer.setPixelRatio(Math.min(devicePixelRatio, 2));
    this.renderer.setScissorTest(true);
    this.scene.add(makeLights(), gltf.scene, this.floor);
    this.mixer = new AnimationMixer(gltf.scene);
    const clip = gltf.animations[0];
    if (clip) this.mixer.clipAction(clip).play();
    this.lastKey = (clip?.duration ?? 0) - 1e-4;
    data.people.forEach((person, index) => {
      const actor = this.actorOf(gltf.scene, clip, person.name, index);
      if (actor) this.actors.push(actor);
    });
    this.floor.add(makeGrid(this.walked));
    this.look();
    this.controls = new OrbitControls(this.camera, view);
    this.controls.maxDistance = 80;
    this.controls.minDistance = 0.4;
    this.controls.addEventListener("change", () => this.request());
    this.observer = new ResizeObserver(() => this.resize());
    for (const element of [canvas, view, film]) this.observer.observe(element);
    this.resize();
    this.reset();
    this.show(0);
  }

  /** Put everyone where they are in a frame. */
  show(frame: number): void {
    const seconds = this.data.times[frame] ?? 0;
    const before = this.middle();
    this.frame = frame;
    // At its very end a clip begins again.
    this.mixer.setTime(Math.min(seconds, this.lastKey));
    this.actors.forEach((actor, index) => {
      this.refresh(actor, index);
      actor.path.walkedTo(seconds);
    });
    this.scene.updateMatrixWorld(true);
    this.look();
    const now = this.middle();
    if (this.following && before && now) {
      const moved = now.sub(before).setY(0);
      this.camera.position.add(moved);
      this.controls.target.add(moved);
      this.controls.update();
    }
    this.request();
  }

  setLook(look: MotionLook): void {
    for (const { mesh, looks } of this.actors) mesh.material = looks[look] ?? mesh.material;
    this.request();
  }

  setWanted(person: number, wanted: boolean): void {
    const actor = this.actors[person];
    if (!actor) return;
    actor.wanted = wanted;
    this.refresh(actor, person);
    this.request();
  }

  setOverlay(on: boolean): void {
    this.overlaid = on;
    this.request();
  }

  setPaths(on: boolean): void {
    for (const { path } of this.actors) path.group.visible = on;
    this.request();
  }

  /** Whether the free view goes along with those who are shown. */
  setFollowing(on: boolean): void {
    this.following = on;
    const middle = on ? this.middle() : null;
    if (middle) {
      this.camera.position.add(middle.clone().sub(this.controls.target));
      this.controls.target.copy(middle);
      this.controls.update();
    }
    this.request();
  }

  /** All that is walked, from the clip's camera's side and a little around. */
  reset(): void {
    const target = this.walked.getCenter(new Vector3());
    const away = new Spherical().setFromVector3(this.eye.position.clone().sub(target));
    away.theta += ASIDE;
    away.phi = ELEVATION;
    const slope = Math.tan((FIELD_OF_VIEW / 2) * (Math.PI / 180)) * Math.min(1, this.camera.aspect);
    away.radius = this.walked.getSize(new Vector3()).length() / 2.35 / slope;
    this.controls.target.copy(target);
    this.camera.position.setFromSpherical(away).add(target);
    this.controls.update();
    this.request();
  }

  dispose(): void {
    this.disposed = true;
    cancelAnimationFrame(this.requested);
    this.observer.disconnect();
    this.controls.dispose();
    for (const { mesh, looks, path } of this.actors) {
      for (const material of Object.values(looks).flat()) {
        (material as MeshStandardMaterial).map?.dispose();
        (material as MeshStandardMaterial).normalMap?.dispose();
        material.dispose();
      }
      mesh.geometry.dispose();
      path.dispose();
    }
    this.renderer.dispose();
    this.renderer.forceContextLoss();
  }

  private actorOf(scene: Object3D, clip: AnimationClip | undefined, name: string, index: number): Actor | null {
    const mesh = scene.getObjectByName(name) as SkinnedMesh | undefined;
    const hips = mesh?.skeleton?.bones[0];
    if (!mesh || !hips) return null;
    mesh.frustumCulled = false; // its bounds are those of the rest pose
    drawTwice(mesh.geometry);
    const looks = makeLooks(textureOf(mesh), normalMapOf(mesh), mesh.geometry.hasAttribute("color"));
    mesh.material = looks.textured;
    const track = clip?.tracks.find((one) => one.name === `${hips.name}.position`);
    const [keys, points] = [track?.times ?? [0], track?.values ?? hips.position.toArray()];
    for (let i = 0; i < keys.length; i++) {
      const place = new Vector3(points[3 * i], 0, points[3 * i + 2]);
      this.walked.expandByPoint(place.clone().addScalar(BODY_M).setY(2 * BODY_M));
      this.walked.expandByPoint(place.addScalar(-BODY_M).setY(0));
    }
    const visit = (key: number): number => {
      const frame = frameAt(this.data.times, (keys[key] ?? 0) + 1e-3);
      return this.data.people[index]?.present.findIndex(([a, b]) => a <= frame && frame <= b) ?? -1;
    };
    const color = new Color(COLORS[index % COLORS.length]);
    const path = new FloorPath(keys, points, (key) => visit(key) === visit(key + 1), color);
    this.floor.add(path.group);
    return { mesh, hips, looks, path, wanted: true };
  }

  private refresh(actor: Actor, index: number): void {
    const person = this.data.people[index];
    actor.mesh.visible = actor.wanted && !!person && isPresent(person, this.frame);
    for (const part of actor.path.group.children) part.visible = actor.wanted;
  }

  /** See as the clip's camera does in the present frame. */
  private look(): void {
    photoPose(cameraAt(this.data, this.frame)).decompose(this.eye.position, this.eye.quaternion, this.eye.scale);
    this.eye.updateMatrixWorld(true);
  }

  /** Between the hips of those who are shown. */
  private middle(): Vector3 | null {
    const shown = this.actors.filter(({ mesh }) => mesh.visible);
    if (!shown.length) return null;
    const sum = new Vector3();
    for (const { hips } of shown) sum.add(hips.getWorldPosition(new Vector3()));
    return sum.divideScalar(shown.length);
  }

  private resize(): void {
    const { clientWidth, clientHeight } = this.canvas;
    if (!clientWidth || !clientHeight || this.disposed) return;
    this.renderer.setSize(clientWidth, clientHeight, false);
    const view = this.view.getBoundingClientRect();
    this.camera.aspect = view.width / Math.max(view.height, 1);
    this.camera.updateProjectionMatrix();
    this.request();
  }

  // Draws only when something has changed, which spares a phone's battery.
  private request(): void {
    if (this.requested || this.disposed) return;
    this.requested = requestAnimationFrame(() => {
      this.requested = 0;
      this.draw();
    });
  }

  private draw(): void {
    this.renderer.setViewport(0, 0, this.canvas.clientWidth, this.canvas.clientHeight);
    this.renderer.setScissor(0, 0, this.canvas.clientWidth, this.canvas.clientHeight);
    this.renderer.clear();
    this.floor.visible = true;
    this.drawInto(this.view, this.camera);
    if (!this.overlaid) return;
    const { width, height } = this.film.getBoundingClientRect();
    if (!width || !height) return;
    const place = { x: 0, y: 0, width, height };
    const taken = cameraAt(this.data, this.frame);
    this.eye.projectionMatrix.copy(photoProjection(taken, place, width, height, NEAR, FAR));
    this.eye.projectionMatrixInverse.copy(this.eye.projectionMatrix).invert();
    this.floor.visible = false;
    this.drawInto(this.film, this.eye);
  }

  private drawInto(pane: HTMLElement, camera: PerspectiveCamera): void {
    const [own, whole] = [pane.getBoundingClientRect(), this.canvas.getBoundingClientRect()];
    const bottom = whole.bottom - own.bottom;
    this.renderer.setViewport(own.left - whole.left, bottom, own.width, own.height);
    this.renderer.setScissor(own.left - whole.left, bottom, own.width, own.height);
    this.renderer.render(this.scene, camera);
  }
}
