// Names for the shapes of the API. `schema.d.ts` is generated from openapi.json: npm run types.
import type { components } from "./schema";

type Schemas = components["schemas"];
export type Account = Schemas["Account"];
export type Config = Schemas["Config"];
export type LeftOut = Schemas["LeftOut"];
export type Job = Schemas["Job"];
export type ClothesSize = Schemas["ClothesSize"];
export type Measurement = Schemas["Measurement"];
export type MeasurementSummary = Schemas["MeasurementSummary"];
export type MeasureValue = Schemas["MeasureValue"];
export type Person = Schemas["Person"];
export type Reconstruction = Schemas["Reconstruction"];
export type Session = Schemas["Session"];
export type Share = Schemas["Share"];
export type Summary = Schemas["Summary"];
export type MovingPerson = Schemas["MovingPerson"];
export type Video = Schemas["Video"];
export type VideoSummary = Schemas["VideoSummary"];
export type OpenSession = Schemas["OpenSession"];
export type Token = Schemas["Token"];
export type Scope = Token["scopes"][number];
