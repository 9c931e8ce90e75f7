// Reads the GLB files that Vitruvian's scene_glb writes: meshes of one primitive under root nodes
// without transforms, tightly packed. Not a general glTF loader, and a tenth of its size.
import {
  BufferAttribute,
  BufferGeometry,
  LinearMipmapLinearFilter,
  NoColorSpace,
  SRGBColorSpace,
  Texture,
} from "three";
import type { Model } from "../viewer/model";

interface Accessor {
  bufferView: number;
  componentType: number;
  count: number;
  type: "SCALAR" | "VEC2" | "VEC3" | "VEC4";
  normalized?: boolean;
}

interface View {
  byteOffset: number;
  byteLength: number;
}

interface Primitive {
  attributes: Record<string, number>;
  indices: number;
  material: number;
}

interface Content {
  accessors?: Accessor[];
  bufferViews?: View[];
  images?: { bufferView: number; mimeType: string }[];
  textures?: { source: number }[];
  materials?: {
    pbrMetallicRoughness: { baseColorTexture?: { index: number } };
    normalTexture?: { index: number };
  }[];
  meshes?: { primitives: Primitive[] }[];
  nodes?: { name: string; mesh?: number }[];
}

const WIDTH = { SCALAR: 1, VEC2: 2, VEC3: 3, VEC4: 4 };
const ATTRIBUTES = [
  ["POSITION", "position"],
  ["NORMAL", "normal"],
  ["TANGENT", "tangent"],
  ["TEXCOORD_0", "uv"],
  ["COLOR_0", "color"],
] as const;

function pick<T>(list: T[] | undefined, index: number | undefined): T {
  const item = index === undefined ? undefined : list?.[index];
  if (item === undefined) throw new Error("The scene refers to a part that it lacks.");
  return item;
}

export async function readGlb(data: ArrayBuffer): Promise<Model[]> {
  const jsonLength = new DataView(data).getUint32(12, true);
  const content = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 20, jsonLength))) as Content;
  const binaryStart = 20 + jsonLength + 8;

  function attribute(index: number): BufferAttribute {
    const accessor = pick(content.accessors, index);
    const start = binaryStart + pick(content.bufferViews, accessor.bufferView).byteOffset;
    const width = WIDTH[accessor.type];
    const length = accessor.count * width;
    const array =
      accessor.componentType === 5126
        ? new Float32Array(data, start, length)
        : accessor.componentType === 5125
          ? new Uint32Array(data, start, length)
          : new Uint16Array(data, start, length);
    return new BufferAttribute(array, width, accessor.normalized ?? false);
  }

  async function texture(index: number, colorSpace: string): Promise<Texture> {
    const image = pick(content.images, pick(content.textures, index).source);
    const view = pick(content.bufferViews, image.bufferView);
    const bytes = new Uint8Array(data, binaryStart + view.byteOffset, view.byteLength);
    const bitmap = await createImageBitmap(new Blob([bytes], { type: image.mimeType }), {
      colorSpaceConversion: "none",
    });
    const result = new Texture(bitmap);
    result.flipY = false;
    result.colorSpace = colorSpace;
    result.minFilter = LinearMipmapLinearFilter;
    result.anisotropy = 4;
    result.needsUpdate = true;
    return result;
  }

  const models = (content.nodes ?? []).map(async (node): Promise<Model> => {
    const primitive = pick(pick(content.meshes, node.mesh).primitives, 0);
    const geometry = new BufferGeometry();
    for (const [from, to] of ATTRIBUTES) {
      const index = primitive.attributes[from];
      if (index !== undefined) geometry.setAttribute(to, attribute(index));
    }
    geometry.setIndex(attribute(primitive.indices));
    const material = pick(content.materials, primitive.material);
    const map = material.pbrMetallicRoughness.baseColorTexture;
    const relief = material.normalTexture;
    return {
      name: node.name,
      geometry,
      texture: map ? await texture(map.index, SRGBColorSpace) : null,
      normalMap: relief ? await texture(relief.index, NoColorSpace) : null,
    };
  });
  return Promise.all(models);
}
