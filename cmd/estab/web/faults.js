// What the reader does to segments, as lines of the lab's script.

const of = (line, id) => line.split(/\s+/)[1] === id;

/** withFault is the list with one more fault, in place of others of that segment. */
export const withFault = (faults, id, line) => [...withoutFault(faults, id), line];

/** withoutFault is the list without those of a segment. */
export const withoutFault = (faults, id) => (faults ?? []).filter((line) => !of(line, id));

/** faultOf is the reader's fault of a segment, or undefined. */
export const faultOf = (faults, id) => (faults ?? []).find((line) => of(line, id));
