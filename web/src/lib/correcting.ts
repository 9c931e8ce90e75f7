// The state of correcting a result: what was said, what is being asked, and the run that follows.
import { computed, type ComputedRef, ref, type Ref } from "vue";
import type { LeftOut, Reconstruction } from "../api/types";
import {
  around,
  type Box,
  type Correction,
  corrected,
  drawn,
  type Fact,
  isDrawn,
  madeWith,
  nothingOf,
  sameAs,
  without,
} from "./corrections";
import { personName } from "./result";
import { type Rerun, useRerun } from "./rerun";

/** What the dialog asks about: whom, and what was said of them. */
export interface Question {
  title: string;
  correction: Correction;
  added: boolean;
}

export interface Correcting {
  rerun: Rerun;
  question: Ref<Question | null>;
  /** Something was said that the result does not know. */
  waiting: ComputedRef<boolean>;
  /** Boxes that were drawn and around which the result has nobody. */
  added: ComputedRef<Correction[]>;
  of: (index: number) => Correction | null;
  ask: (index: number) => void;
  askAbout: (correction: Correction) => void;
  add: (box: Box) => void;
  saidOf: (one: LeftOut) => boolean;
  readmit: (one: LeftOut) => void;
  takeBack: (index: number, fact: Fact) => void;
  keep: (correction: Correction) => void;
  run: (correction?: Correction) => void;
  remove: (correction: Correction) => void;
  discard: () => void;
}

/**
 * @param result what is corrected; it changes when it is made anew.
 * @param renewed is given the result once it is made anew.
 */
export function useCorrecting(result: () => Reconstruction, renewed: (result: Reconstruction) => void): Correcting {
  const said = ref<Correction[]>(madeWith(result()));
  const question = ref<Question | null>(null);

  const rerun = useRerun(result().id, (made) => {
    renewed(made);
    said.value = madeWith(made);
  });

  function keep(correction: Correction): void {
    said.value = corrected(said.value, correction);
    question.value = null;
    rerun.forget();
  }
  function remove(correction: Correction): void {
    said.value = said.value.filter((one) => one !== around(said.value, correction.box));
    question.value = null;
  }
  const askAbout = (correction: Correction): void => {
    question.value = { title: "Somebody who was missed", correction, added: true };
  };

  return {
    rerun,
    question,
    waiting: computed(() => !sameAs(said.value, madeWith(result()))),
    added: computed(() => said.value.filter((one) => isDrawn(one) && !around(result().people, one.box))),
    of: (index) => around(said.value, result().people[index]?.box ?? []),
    ask(index) {
      const person = result().people[index];
      if (!person) return;
      const correction = around(said.value, person.box) ?? nothingOf(person.box);
      question.value = { title: `Correct ${personName(person)}`, correction, added: false };
    },
    askAbout,
    add: (box) => askAbout(nothingOf(drawn(box))),
    saidOf: (one) => around(said.value, one.box) !== null,
    readmit(one) {
      // Who was left out by the user's word comes back without it, and a box around nobody goes;
      // others are sought in their box.
      if (around(said.value, one.box)) remove(nothingOf(one.box));
      else said.value = corrected(said.value, nothingOf(drawn(nothingOf(one.box).box)));
    },
    takeBack(index, fact) {
      const correction = around(said.value, result().people[index]?.box ?? []);
      if (correction) keep(without(correction, fact));
    },
    keep,
    run(correction) {
      if (correction) keep(correction);
      void rerun.start(said.value);
    },
    remove,
    discard() {
      said.value = madeWith(result());
      rerun.forget();
    },
  };
}
