// Names for the shapes of the API.

export interface Session {
  account: { id: string; name: string | null; guest: boolean; created_at: string } | null;
  csrf_token: string | null;
  expires_at: string | null;
}
export interface Account {
  id: string; name: string | null; guest: boolean; created_at: string;
  usage: { reconstructions: number; bytes: number };
  quota: { reconstructions: number; bytes: number };
}
export interface Config {
  version: string; max_upload_bytes: number; max_pixels: number; min_side: number; accepted_types: string[];
  fast_path_seconds: number; retention_days: number; guest_retention_hours: number; guests: boolean;
  registration: boolean; password_min_length: number; share_max_days: number; max_active_jobs: number;
  stages: { name: string; title: string }[];
}
export interface Person {
  id: number; box: number[]; score: number; complete: boolean; height_m: number;
  measurements_cm: Record<string, number> | null;
  checks: { silhouette_iou: number | null; keypoint_error: number | null; image_similarity: number | null };
  warnings: string[]; files: Record<string, string>;
}
export interface Reconstruction {
  id: string; name: string; created_at: string; expires_at: string | null;
  image: { width: number; height: number };
  camera: { focal_px: number; source: string; world_from_camera: number[][] };
  people: Person[]; warnings: string[]; timings_s: Record<string, number>; seconds: number; bytes: number;
  files: Record<string, string>;
}
export interface Summary {
  id: string; name: string; created_at: string; expires_at: string | null;
  image: { width: number; height: number }; people: number; bytes: number; files: Record<string, string>;
  description?: string | null;
}
export interface JobProblem { code: string; title: string; status: number; detail: string }
export interface Job {
  id: string; name: string; state: "queued" | "running" | "succeeded" | "failed" | "cancelled";
  stage: string | null; person: number | null; progress: number; queue_position: number | null;
  seconds_left: number | null; attempts: number; created_at: string; started_at: string | null;
  finished_at: string | null; reconstruction_id: string | null; problem: JobProblem | null;
}
export interface Token {
  id: string; name: string; scopes: string[]; created_at: string; expires_at: string | null;
  last_used_at: string | null; token: string | null;
}
export interface Share {
  id: string; reconstruction_id: string; created_at: string; expires_at: string | null; page: string; url: string;
}
