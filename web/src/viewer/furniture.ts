// What stands around the people: a floor of metres, soft shadows, and a ring under the chosen one.
import {
  type Box3,
  CanvasTexture,
  Color,
  DirectionalLight,
  GridHelper,
  Group,
  HemisphereLight,
  type Material,
  Mesh,
  MeshBasicMaterial,
  PlaneGeometry,
  RingGeometry,
  Vector3,
} from "three";

export function makeLights(): Group {
  const lights = new Group();
  lights.add(new HemisphereLight(0xffffff, 0x8a7f70, 1.5));
  const sun = new DirectionalLight(0xfff4e6, 2.1);
  sun.position.set(2, 4, 3);
  const rim = new DirectionalLight(0xdfe8ff, 0.9);
  rim.position.set(-3, 2, -4);
  lights.add(sun, rim);
  return lights;
}

export function makeGrid(bounds: Box3): GridHelper {
  const center = bounds.getCenter(new Vector3());
  const size = bounds.getSize(new Vector3());
  const metres = Math.min(60, 2 * Math.ceil(Math.max(size.x, size.z) / 2 + 1.5));
  const grey = new Color(0x94897a);
  const grid = new GridHelper(metres, metres, grey, grey);
  grid.position.set(Math.round(center.x), 0, Math.round(center.z));
  const material = grid.material as Material;
  material.transparent = true;
  material.opacity = 0.32;
  material.depthWrite = false;
  return grid;
}

let blot: CanvasTexture | null = null;

function shadowTexture(): CanvasTexture {
  if (blot) return blot;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 64;
  const context = canvas.getContext("2d");
  if (context) {
    const gradient = context.createRadialGradient(32, 32, 2, 32, 32, 32);
    gradient.addColorStop(0, "rgba(0,0,0,0.5)");
    gradient.addColorStop(1, "rgba(0,0,0,0)");
    context.fillStyle = gradient;
    context.fillRect(0, 0, 64, 64);
  }
  blot = new CanvasTexture(canvas);
  return blot;
}

export function makeShadow(bounds: Box3): Mesh {
  const size = bounds.getSize(new Vector3());
  const center = bounds.getCenter(new Vector3());
  const material = new MeshBasicMaterial({ map: shadowTexture(), transparent: true, depthWrite: false });
  const shadow = new Mesh(new PlaneGeometry(Math.max(size.x, 0.5) * 1.25, Math.max(size.z, 0.5) * 1.4), material);
  shadow.rotation.x = -Math.PI / 2;
  shadow.position.set(center.x, 0.002, center.z);
  shadow.renderOrder = -1;
  return shadow;
}

export function makeRing(): Mesh {
  const material = new MeshBasicMaterial({ color: 0xc4602f, transparent: true, opacity: 0.9, depthWrite: false });
  const ring = new Mesh(new RingGeometry(0.93, 1, 64), material);
  ring.rotation.x = -Math.PI / 2;
  ring.position.y = 0.004;
  ring.visible = false;
  return ring;
}
