#!/usr/bin/env bash
# One part of training on a rented GPU; see "On a rented GPU" in models/README.md. Each part ends inside ten minutes and
# leaves what it made in $OUT as a tar cut into 15 MiB pieces; the next part goes on in the same, still warm machine.
#   gpu.sh data      render, and fine-tune the autoencoder
#   gpu.sh teacher   encode, and train stage 1
#   gpu.sh student   stages 2 and 3, the decoder, the judge, sample sheets, evaluation
#   gpu.sh dry       all of it with the micro configuration on whatever device is there (a test of this script)
set -euo pipefail
cd "$(dirname "$0")"
part=${1:?say which part: data, teacher, student or dry}
config=gpu
[ "$part" = dry ] && config=micro
out=${OUT:?OUT must name the folder for the results}
run=runs/$config
export PYTHONUNBUFFERED=1
anyflow() { python3 -m anyflow "$@"; }

collect() {
  mkdir -p "$out/pack"
  anyflow pack --config $config --out "$out/pack" || true
  for file in "$run"/{vae,teacher,student,decoder,onpolicy,recogniser}/{curves.png,metrics.json} "$run"/{vae/vae,decoder/decoder}.pt "$run"/evaluate/*.json "$run"/generate/*.png; do
    [ -f "$file" ] && cp "$file" "$out/pack/$(echo "${file#"$run"/}" | tr / _)"
  done
  tar -C "$out" -cf - pack | split -b 15M - "$out/result.tar."
  rm -r "$out/pack"
}
trap collect EXIT

case $part in
  data)
    anyflow unpack --config $config --start --stage vae --stage teacher --packed cpu || echo "no weights to start from: from nothing"
    anyflow train --config $config --stage data --stage vae ;;
  teacher) anyflow train --config $config --stage latents --stage teacher ;;
  student)
    anyflow train --config $config --stage student --stage decoder --stage onpolicy --stage recogniser
    for model in student onpolicy; do
      anyflow generate --config $config --steps 1,4,16 --model $model
      anyflow evaluate --config $config --clips 512 --steps 1,4,16,32 --model $model
    done ;;
  dry)
    anyflow train --config $config
    anyflow train --config $config --stage onpolicy --stage recogniser
    anyflow generate --config $config --steps 1,4
    anyflow evaluate --config $config --clips 8 --steps 1,4 ;;
  *) echo "unknown part $part: data, teacher, student or dry" >&2; exit 2 ;;
esac
