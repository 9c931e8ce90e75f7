// One person on the stage: the reconstructed surface, its looks, and its rigged twin.
import {
  Box3,
  type BufferGeometry,
  Group,
  type Material,
  Mesh,
  MeshBasicMaterial,
  MeshNormalMaterial,
  MeshStandardMaterial,
  SkinnedMesh,
  type Texture,
  Vector3,
} from "three";
import type { Avatar } from "./avatar";
import { type Model, normalMapOf, textureOf } from "./model";

export type Look = "textured" | "clay" | "normals" | "wireframe" | "body";

const CLAY = 0xcdb9a2;

/** Materials of each look for one texture. Wireframe has two: the surface, and lines over it. */
export function makeLooks(
  texture: Texture | null,
  normalMap: Texture | null,
  colored: boolean,
): Record<Look, Material | Material[]> {
  const clay = new MeshStandardMaterial({ color: CLAY, roughness: 0.82, normalMap });
  const surface = new MeshBasicMaterial({
    color: 0x3b3733,
    polygonOffset: true,
    polygonOffsetFactor: 1,
    polygonOffsetUnits: 1,
  });
  const lines = new MeshBasicMaterial({ color: 0xf3b491, wireframe: true, transparent: true, opacity: 0.3 });
  return {
    // The photograph already holds its light: no second one is put on it.
    textured: texture || colored ? new MeshBasicMaterial({ map: texture, vertexColors: colored }) : clay,
    clay,
    normals: new MeshNormalMaterial({ normalMap }),
    wireframe: [surface, lines],
    body: new MeshStandardMaterial({ color: 0xb9c4c9, roughness: 0.75 }),
  };
}

/** Let a geometry be drawn twice when it has two materials; one material ignores this. */
export function drawTwice(geometry: BufferGeometry): void {
  const count = geometry.index?.count ?? geometry.getAttribute("position").count;
  geometry.clearGroups();
  geometry.addGroup(0, count, 0);
  geometry.addGroup(0, count, 1);
}

const CROWN_M = 0.1;

/** The middle of the uppermost of a surface: of the head, unless arms are raised above it. */
function crownOf(geometry: BufferGeometry, bounds: Box3): Vector3 {
  const position = geometry.getAttribute("position");
  const [sum, point] = [new Vector3(), new Vector3()];
  let count = 0;
  for (let i = 0; i < position.count; i++) {
    if (position.getY(i) < bounds.max.y - CROWN_M) continue;
    sum.add(point.fromBufferAttribute(position, i));
    count += 1;
  }
  const crown = count ? sum.divideScalar(count) : bounds.getCenter(new Vector3());
  return crown.setY(bounds.max.y);
}

export class PersonModel {
  readonly name: string;
  readonly group = new Group();
  readonly bounds: Box3;
  avatar: Avatar | null = null;
  body: Mesh | null = null;
  private readonly surface: Mesh;
  private readonly looks: Record<Look, Material | Material[]>;
  private avatarLooks: Record<Look, Material | Material[]> | null = null;
  private look: Look = "textured";
  private posed = false;
  private readonly crown: Vector3;

  constructor(model: Model) {
    this.name = model.name;
    const geometry = model.geometry;
    drawTwice(geometry);
    this.looks = makeLooks(model.texture, model.normalMap, geometry.hasAttribute("color"));
    this.surface = new Mesh(geometry, this.looks.textured);
    geometry.computeBoundingBox();
    this.bounds = geometry.boundingBox?.clone() ?? new Box3();
    this.crown = crownOf(geometry, this.bounds);
    this.group.add(this.surface);
  }

  setLook(look: Look): void {
    this.look = look;
    this.refresh();
  }

  setBody(geometry: BufferGeometry): void {
    drawTwice(geometry);
    this.body = new Mesh(geometry, this.looks.body);
    this.group.add(this.body);
    this.refresh();
  }

  setAvatar(avatar: Avatar): void {
    this.avatar = avatar;
    drawTwice(avatar.mesh.geometry);
    this.avatarLooks = makeLooks(
      textureOf(avatar.mesh),
      normalMapOf(avatar.mesh),
      avatar.mesh.geometry.hasAttribute("color"),
    );
    this.group.add(avatar.root);
    this.refresh();
  }

  /** Show the rigged twin instead of the surface, once it is there. */
  showPosed(posed: boolean): void {
    this.posed = posed;
    this.refresh();
  }

  /** What is visible, for picking. */
  get shown(): Mesh {
    if (this.posed && this.avatar) return this.avatar.mesh;
    return this.look === "body" && this.body ? this.body : this.surface;
  }

  /** The top of the head, in the world. */
  top(): Vector3 {
    return this.shown instanceof SkinnedMesh && this.avatar ? this.avatar.top() : this.crown.clone();
  }

  /** Around what is shown, as it is posed now. */
  extent(): Box3 {
    if (!(this.shown instanceof SkinnedMesh && this.avatar)) return this.bounds;
    return new Box3().setFromArray(this.avatar.vertices());
  }

  private refresh(): void {
    const shown = this.shown;
    this.surface.visible = shown === this.surface;
    if (this.body) this.body.visible = shown === this.body;
    this.surface.material = this.looks[this.look];
    if (this.avatar) {
      this.avatar.mesh.visible = shown === this.avatar.mesh;
      if (this.avatarLooks) this.avatar.mesh.material = this.avatarLooks[this.look];
    }
  }

  dispose(): void {
    for (const looks of [this.looks, this.avatarLooks]) {
      for (const material of Object.values(looks ?? {}).flat() as Material[]) {
        (material as MeshStandardMaterial).map?.dispose();
        (material as MeshStandardMaterial).normalMap?.dispose();
        material.dispose();
      }
    }
    this.surface.geometry.dispose();
    this.body?.geometry.dispose();
    this.avatar?.mesh.geometry.dispose();
  }
}
