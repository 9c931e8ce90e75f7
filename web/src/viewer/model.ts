// What is shown of a person: a surface, perhaps with a texture.
import type { BufferGeometry, Mesh, MeshStandardMaterial, Texture } from "three";

export interface Model {
  name: string;
  geometry: BufferGeometry;
  texture: Texture | null;
}

export const textureOf = (mesh: Mesh): Texture | null =>
  (mesh.material as MeshStandardMaterial).map ?? null;
