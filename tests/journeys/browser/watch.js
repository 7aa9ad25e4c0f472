/* Watches what a page does with sound and with the network; changes nothing of it. */
(() => {
  const watched = { events: [], answers: [], audio: null, system: {} };
  window.watched = watched;
  const RealAudio = window.Audio;
  window.Audio = function Audio(...given) {
    const audio = new RealAudio(...given);
    watched.audio = audio;
    for (const name of ["playing", "pause", "waiting", "seeking", "seeked", "ended", "stalled", "error"]) {
      audio.addEventListener(name, () => watched.events.push({ name, at: audio.currentTime, ahead: ahead(), when: performance.now() }));
    }
    return audio;
  };
  const { mediaSession } = navigator;
  const realSetActionHandler = mediaSession.setActionHandler.bind(mediaSession);
  mediaSession.setActionHandler = (name, act) => {
    watched.system[name] = act;
    realSetActionHandler(name, act);
  };
  const ahead = () => {
    const { audio } = watched;
    return audio && audio.buffered.length ? audio.buffered.end(audio.buffered.length - 1) - audio.currentTime : 0;
  };
  const realFetch = window.fetch;
  window.fetch = async (...given) => {
    const answer = await realFetch(...given);
    watched.answers.push({ url: String(given[0]), status: answer.status, ahead: ahead(), when: performance.now() });
    return answer;
  };
})();
