const punctuation = " _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$";
const digits = "0123456789";
const letters = "abcdefghijklmnopqrstuvwxyz";
const ranks = new Map([...punctuation, ...digits, ...letters].map((character, rank) => [character, rank] as const));

/**
 * Compares texts the way people sort ids, alike on every machine: punctuation, then digits, then letters whatever
 * their case; the rest by code unit. Equal so far, lower case comes first. For ASCII this is the root collation of Unicode (CLDR).
 */
export function compareText(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const difference = rankAt(left, index) - rankAt(right, index);
    if (difference !== 0) return difference;
  }
  if (left.length !== right.length) return left.length - right.length;
  for (let index = 0; index < length; index++) {
    const difference = right.charCodeAt(index) - left.charCodeAt(index);
    if (difference !== 0) return difference;
  }
  return 0;
}

function rankAt(text: string, index: number): number {
  const character = text.charAt(index);
  return ranks.get(character.toLowerCase()) ?? ranks.size + character.charCodeAt(0);
}
