// Bones drawn as slim octahedra over everything else.
import {
  type Bone,
  BufferAttribute,
  BufferGeometry,
  InstancedMesh,
  Matrix4,
  MeshBasicMaterial,
  Quaternion,
  Vector3,
} from "three";

/** An octahedron from the origin to (0, 1, 0), widest near its start. */
function boneGeometry(): BufferGeometry {
  const points = [0, 0, 0, 0.5, 0.16, 0, 0, 0.16, 0.5, -0.5, 0.16, 0, 0, 0.16, -0.5, 0, 1, 0];
  const faces = [0, 1, 2, 0, 2, 3, 0, 3, 4, 0, 4, 1, 5, 2, 1, 5, 3, 2, 5, 4, 3, 5, 1, 4];
  const geometry = new BufferGeometry();
  geometry.setAttribute("position", new BufferAttribute(Float32Array.from(points), 3));
  geometry.setIndex(faces);
  const shades = [1, 0.86, 0.7, 0.86, 0.7, 1].flatMap((value) => [value, value, value]);
  geometry.setAttribute("color", new BufferAttribute(Float32Array.from(shades), 3));
  return geometry;
}

export class Skeleton {
  readonly mesh: InstancedMesh;

  constructor(
    private readonly pairs: [Bone, Bone][],
    color: number,
  ) {
    const material = new MeshBasicMaterial({ color, vertexColors: true, depthTest: false });
    this.mesh = new InstancedMesh(boneGeometry(), material, pairs.length);
    this.mesh.renderOrder = 10;
    this.mesh.frustumCulled = false;
    this.update();
  }

  /** Follow the bones. */
  update(): void {
    const [from, to, up] = [new Vector3(), new Vector3(), new Vector3(0, 1, 0)];
    this.pairs.forEach(([parent, child], index) => {
      parent.getWorldPosition(from);
      child.getWorldPosition(to).sub(from);
      const length = Math.max(to.length(), 1e-5);
      const turn = new Quaternion().setFromUnitVectors(up, to.divideScalar(length));
      const width = Math.min(0.05, 0.16 * length + 0.006);
      this.mesh.setMatrixAt(index, new Matrix4().compose(from, turn, new Vector3(width, length, width)));
    });
    this.mesh.instanceMatrix.needsUpdate = true;
  }

  dispose(): void {
    this.mesh.geometry.dispose();
    (this.mesh.material as MeshBasicMaterial).dispose();
    this.mesh.dispose();
  }
}
