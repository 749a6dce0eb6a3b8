// Players side by side are shown on one map, large enough for all of them: the first frames, and so the units, agree.
function showTheSameOf(episodes) {
  if (!episodes.every((episode) => episode.hasMap)) return;
  const maps = episodes.map((episode) => episode.map);
  const map = [0, 1, 2, 3].map((side) => (side < 2 ? Math.min : Math.max)(...maps.map((of) => of[side])));
  for (const episode of episodes) episode.map = map;
}

// Puts the page together. An address may say where to begin: replay.html#step=120&agent=2&theme=dark&play
function main() {
  const recordings = JSON.parse(document.getElementById("recordings").textContent);
  const episodes = recordings.players.map((player) => new Episode(player));
  showTheSameOf(episodes);
  const asked = new URLSearchParams(location.hash.slice(1));
  const versus = episodes.map((episode) => episode.player).join(" and ");
  document.title = `${recordings.environment}: ${versus}`;
  document.getElementById("title").textContent = recordings.environment;
  document.getElementById("subtitle").textContent = `seed ${recordings.seed}, played by ${versus}`;
  theme.begin(asked.get("theme"));
  document.getElementById("theme").onclick = () => theme.toggle();

  const steps = [...new Set(episodes.flatMap((episode) => episode.steps))].sort((a, b) => a - b);
  const picked = { agent: null, numbers: [] };
  const board = new ChartBoard(document.getElementById("charts"), episodes, steps[steps.length - 1],
    (step) => transport.goToStep(step));
  const show = (step, fraction) => {
    for (const card of cards) card.show(step, fraction, picked.agent);
    board.show(step);
  };
  const picks = {
    choose(agent) {
      picked.agent = picked.agent === agent ? null : agent;
      picked.numbers = [];
      board.pick(picked.agent, picked.numbers);
      transport.place(transport.at, 0);
    },
    pin(number) {
      const at = picked.numbers.indexOf(number);
      if (at < 0) picked.numbers.push(number);
      else picked.numbers.splice(at, 1);
      board.pick(picked.agent, picked.numbers);
    },
  };
  const cards = episodes.map((episode, place) => new PlayerCard(episode, place, picks));
  const players = document.getElementById("players");
  players.classList.toggle("alone", cards.length === 1);
  players.append(...cards.map((card) => card.root));
  const transport = new Transport(steps, show);
  theme.listeners.push(() => transport.place(transport.at, transport.fraction));
  transport.goToStep(Number(asked.get("step")) || 0);
  if (asked.has("agent")) picks.choose(Number(asked.get("agent")));
  if (asked.has("play")) transport.toggle();
}

main();
