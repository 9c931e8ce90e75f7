// The page around the 3D view: modes, people, photograph, labels.
import { pillWidth, placePills } from "../viewer/pills";
import { type Look, Stage } from "../viewer/stage";
import { decode } from "./decode";
import { readGlb } from "./glb";

interface PersonData {
  name: string;
  label: string;
  height: string | null;
  box: [number, number, number, number] | null; // fractions of the photograph
}

const element = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;
const contentOf = (id: string): string => element(id).textContent ?? "";

function makeButton(parent: HTMLElement, onClick: () => void): HTMLButtonElement {
  const button = document.createElement("button");
  button.type = "button";
  button.addEventListener("click", onClick);
  parent.append(button);
  return button;
}

async function start(): Promise<void> {
  const people = JSON.parse(contentOf("people-data")) as PersonData[];
  const canvas = element<HTMLCanvasElement>("canvas");
  const models = await readGlb(decode(contentOf("scene-data")));
  const stage = new Stage(canvas, matchMedia("(prefers-reduced-motion: reduce)").matches);
  stage.setPeople(models);
  const names = people.map((person) => `${person.label}${person.height ? `, ${person.height}` : ""}`);
  canvas.setAttribute("aria-label", names.length ? `3D view of ${names.join("; ")}` : "Empty 3D view");

  const buttons: { person: number | null; button: HTMLButtonElement }[] = [];
  const select = (person: number | null): void => {
    for (const item of buttons) item.button.setAttribute("aria-pressed", String(item.person === person));
    stage.select(person);
  };
  stage.onPick = select;
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && event.target !== canvas) select(null);
  });

  const list = element("people");
  const labels = new Map<number, HTMLElement>();
  if (people.length > 1) {
    const everyone = makeButton(list, () => select(null));
    everyone.textContent = "Everyone";
    everyone.setAttribute("aria-pressed", "true");
    buttons.push({ person: null, button: everyone });
  }
  // Nodes and people go by name: their order in the file is not part of the contract.
  people.forEach((person) => {
    const index = models.findIndex((model) => model.name === person.name);
    if (index < 0) return;
    const button = makeButton(list, () => select(index));
    button.append(Object.assign(document.createElement("span"), { textContent: person.label }));
    button.append(Object.assign(document.createElement("span"), { textContent: person.height ?? "" }));
    button.setAttribute("aria-pressed", "false");
    buttons.push({ person: index, button });
    if (person.box && element("photo").querySelector("img")) {
      const frame = makeButton(element("photo"), () => select(index));
      const [x0 = "", y0 = "", x1 = "", y1 = ""] = person.box.map((value) => `${value * 100}%`);
      frame.style.cssText = `left:${x0};top:${y0};width:calc(${x1} - ${x0});height:calc(${y1} - ${y0})`;
      frame.setAttribute("aria-label", `${person.label} in the photograph`);
      frame.setAttribute("aria-pressed", "false");
      buttons.push({ person: index, button: frame });
    }
    if (person.height) labels.set(index, makeLabel(person.height));
  });
  stage.onFrame = () => {
    const widths = models.map((_, index) => pillWidth(labels.get(index)?.textContent ?? ""));
    const places = placePills(stage.heads(), widths, canvas.clientWidth);
    for (const [index, label] of labels) {
      const place = places[index];
      label.hidden = !place;
      if (place) label.style.transform = `translate(-50%, -100%) translate(${place.x}px, ${place.y}px)`;
    }
  };
  if (!people.length) showMessage("Nobody was found in this picture.");

  for (const button of document.querySelectorAll<HTMLButtonElement>("#modes button")) {
    button.addEventListener("click", () => {
      for (const other of document.querySelectorAll("#modes button")) {
        other.setAttribute("aria-pressed", String(other === button));
      }
      stage.setLook(button.dataset["mode"] as Look);
    });
  }
  document.body.dataset["ready"] = "true";
}

function makeLabel(text: string): HTMLElement {
  const label = Object.assign(document.createElement("span"), { textContent: text });
  element("labels").append(label);
  return label;
}

function showMessage(text: string): void {
  const message = element("message");
  message.textContent = text;
  message.hidden = false;
}

start().catch((error: unknown) => {
  console.error(error);
  showMessage("This browser cannot show the 3D view: it needs WebGL 2.");
});
