// The 3D view of the server's page: the stage, and what came of the photograph. Its camera, people
// drawn over it, a turntable, skeletons and poses.
import { PerspectiveCamera, Quaternion, Spherical, Vector2, Vector3 } from "three";
import type { Avatar } from "./avatar";
import { fitInside, type PhotoCamera, photoFieldOfView, photoPose, photoProjection, type Rectangle } from "./camera";
import { moves, type PoseName } from "./poses";
import { Skeleton } from "./skeleton";
import { FAR, NEAR, Stage } from "./stage";
import { MOST_TORN } from "./tear";

/** Radians: how far the first view is turned from the photograph's; how far from the zenith it stays. */
const ASIDE = 0.22;
const STEEPEST = 0.7;
const LOWEST = 1.5;

export class ResultStage extends Stage {
  onViewChange: (isPhoto: boolean) => void = () => undefined;

  protected override readonly shortcuts = { p: () => this.viewFromPhoto() };
  private readonly skeletons = new Map<number, Skeleton>();
  private overlay: HTMLCanvasElement | null = null;
  private overlayStale = true;
  private isPhoto = false;
  private skeletonShown = false;
  private posing: { name: PoseName; amount: number } = { name: "t", amount: 0 };

  /** Throws when the browser cannot do WebGL. */
  constructor(
    canvas: HTMLCanvasElement,
    private readonly photo: PhotoCamera | null,
    still: boolean,
  ) {
    super(canvas, still);
    this.controls.autoRotateSpeed = 2.4;
  }

  /** Look through the camera that took the photograph. */
  viewFromPhoto(glide = true): void {
    if (!this.photo) return;
    const pose = photoPose(this.photo);
    const position = new Vector3().setFromMatrixPosition(pose);
    const turn = new Quaternion().setFromRotationMatrix(pose);
    const distance = this.bounds(this.selected).getCenter(new Vector3()).distanceTo(position);
    const target = new Vector3(0, 0, -distance).applyQuaternion(turn).add(position);
    const fov = photoFieldOfView(this.photo, this.photoPlace(), this.canvas.clientHeight || 1);
    this.glideTo({ position, turn, fov, target }, glide, () => this.setPhotoState(true));
  }

  setTurntable(on: boolean): void {
    if (on) this.takeOver();
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

  override changed(): void {
    this.overlayStale = true;
    super.changed();
  }

  override dispose(): void {
    for (const skeleton of this.skeletons.values()) skeleton.dispose();
    super.dispose();
  }

  /** Who cannot take a pose, or would tear in it: they stay as in the photograph. Avatars must be there. */
  stayingIn(name: PoseName): number[] {
    const staying = [...this.people.keys()].filter((index) => this.stays(index, name));
    this.applyPose();
    return staying;
  }

  /** From people to the camera that photographed them, and a little to the side: one sees that it is 3D. */
  protected override home(): Vector3 {
    if (!this.photo) return super.home();
    const eye = new Vector3().setFromMatrixPosition(photoPose(this.photo));
    const toCamera = new Spherical().setFromVector3(eye.sub(this.bounds(this.selected).getCenter(new Vector3())));
    toCamera.theta += ASIDE;
    toCamera.phi = Math.min(Math.max(toCamera.phi, STEEPEST), LOWEST);
    toCamera.radius = 1;
    return new Vector3().setFromSpherical(toCamera);
  }

  protected override direction(): Vector3 | null {
    return this.isPhoto ? null : super.direction();
  }

  protected override departing(): void {
    if (!this.isPhoto) return;
    this.camera.updateProjectionMatrix();
    this.setPhotoState(false);
  }

  protected override reshaped(): void {
    if (this.isPhoto) this.viewFromPhoto(false);
    else super.reshaped();
  }

  protected override isSteered(): boolean {
    return !this.isPhoto && super.isSteered();
  }

  protected override prepare(): void {
    if (moves(this.posing.name) && this.posing.amount > 0.3 && !this.still) {
      this.applyPose();
      this.request();
    }
    if (this.controls.autoRotate) this.request();
    if (this.overlay && this.overlayStale) this.drawOverlay(this.overlay);
  }

  private applyPose(): void {
    const { name, amount } = this.posing;
    for (const [index, person] of this.people.entries()) {
      const part = amount > 0 && this.stays(index, name) ? 0 : amount;
      person.avatar?.pose(name, part, this.still ? null : this.clock);
      person.showPosed(part > 0);
      this.skeletons.get(index)?.update();
    }
  }

  private stays(index: number, name: PoseName): boolean {
    const avatar = this.people[index]?.avatar;
    return !!avatar && (!avatar.can(name) || avatar.torn(name) > MOST_TORN);
  }

  private photoPlace(): Rectangle {
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
