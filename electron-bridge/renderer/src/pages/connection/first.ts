/** Whether somebody has said where the work is to live; until then the page that asks comes first. */

const CHOSEN = 'taskflow.place-chosen';

export function rememberPlaceIsChosen(): void {
  localStorage.setItem(CHOSEN, '1');
}

export function isPlaceChosen(): boolean {
  return localStorage.getItem(CHOSEN) !== null;
}
