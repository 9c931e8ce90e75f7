// Files of a result to what three.js shows.
import { BufferAttribute, BufferGeometry, type Mesh } from "three";
import { type GLTF, GLTFLoader } from "three/examples/jsm/loaders/GLTFLoader.js";
import { Avatar } from "./avatar";
import { type Model, normalMapOf, textureOf } from "./model";
import { parseObj } from "./obj";

const loader = new GLTFLoader();

async function fetchFile(url: string, signal?: AbortSignal): Promise<Response> {
  const response = await fetch(url, { credentials: "same-origin", signal: signal ?? null });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return response;
}

export async function parseGlb(url: string, signal?: AbortSignal): Promise<GLTF> {
  const data = await (await fetchFile(url, signal)).arrayBuffer();
  return loader.parseAsync(data, "");
}

/** The people of `scene.glb`, by the names of their nodes. */
export async function loadScene(url: string, signal?: AbortSignal): Promise<Model[]> {
  const gltf = await parseGlb(url, signal);
  const models: Model[] = [];
  gltf.scene.traverse((node) => {
    const mesh = node as Mesh;
    if (!mesh.isMesh) return;
    models.push({ name: mesh.name, geometry: mesh.geometry, texture: textureOf(mesh), normalMap: normalMapOf(mesh) });
  });
  return models;
}

export async function loadAvatar(url: string): Promise<Avatar> {
  const gltf = await parseGlb(url);
  return new Avatar(gltf.scene, gltf.animations);
}

/** The body under the clothes, from `.glb` or `.obj`. */
export async function loadBody(url: string): Promise<BufferGeometry> {
  if (!url.split("?")[0]?.endsWith(".obj")) {
    const gltf = await parseGlb(url);
    let geometry: BufferGeometry | null = null;
    gltf.scene.traverse((node) => {
      if ((node as Mesh).isMesh) geometry = (node as Mesh).geometry;
    });
    if (geometry) return geometry;
    throw new Error(`${url} holds no mesh.`);
  }
  const { positions, indices } = parseObj(await (await fetchFile(url)).text());
  const geometry = new BufferGeometry();
  geometry.setAttribute("position", new BufferAttribute(positions, 3));
  geometry.setIndex(new BufferAttribute(indices, 1));
  geometry.computeVertexNormals();
  return geometry;
}
