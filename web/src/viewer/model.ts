// What is shown of a person: a surface, perhaps with a texture, and with relief finer than its faces.
import type { BufferGeometry, Mesh, MeshStandardMaterial, Texture } from "three";

export interface Model {
  name: string;
  geometry: BufferGeometry;
  texture: Texture | null;
  normalMap: Texture | null;
}

export const textureOf = (mesh: Mesh): Texture | null =>
  (mesh.material as MeshStandardMaterial).map ?? null;

export const normalMapOf = (mesh: Mesh): Texture | null =>
  (mesh.material as MeshStandardMaterial).normalMap ?? null;
