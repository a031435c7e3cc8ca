"""The whole line with the micro configuration: render, train (killed and resumed), generate, evaluate, export."""

import copy
import json
import os
import resource
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from anyflow import checkpoints
from anyflow.config import Config as AnyFlowConfig
from anyflow.config import ConfigError, build, load_config
from anyflow.export.runner import PackageRunner
from anyflow.generate import sample_latents
from anyflow.text import TextEncoder
from anyflow.train.autoencoder import load_vae
from anyflow.train.curves import read_log
from anyflow.train.flow import load_transformer
from anyflow.train.loop import Loop
from anyflow.train.onpolicy import judges_of, train_onpolicy
from anyflow.train.recogniser import load_recogniser

MODELS = Path(__file__).resolve().parents[2] / "models"
ENVIRONMENT = {**os.environ, "ANYFLOW_WORLDS_EAGER": "1", "PYTHONPATH": str(MODELS)}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "anyflow", *arguments]


def call(*arguments: str) -> str:
    done = subprocess.run(command(*arguments), check=False, cwd=MODELS, env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained micro run."""
    folder = tmp_path_factory.mktemp("micro")
    begin = resource.getrusage(resource.RUSAGE_CHILDREN)
    call("train", "--config", "micro", "--run", str(folder))
    call("train", "--config", "micro", "--run", str(folder), *(f"--stage={s}" for s in ("onpolicy", "consistency", "recogniser")))
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    # Processor time: the wall clock also counts whatever else the machine is doing.
    assert used.ru_utime + used.ru_stime - begin.ru_utime - begin.ru_stime < 120
    return folder


def test_every_stage_left_its_results(run: Path) -> None:
    for path in ("vae/vae.pt", "vae/curves.png", "latents/train.safetensors", "teacher/teacher.pt", "student/student.pt",
                 "student/curves.png", "decoder/decoder.pt", "onpolicy/onpolicy.pt", "onpolicy/curves.png"):
        assert (run / path).stat().st_size > 0, path
    figures = json.loads((run / "vae" / "metrics.json").read_text())
    assert 10 < figures["psnr_heldout_db"] < 60
    drawn = json.loads((run / "decoder" / "metrics.json").read_text())
    assert drawn["psnr_heldout_db"] > figures["psnr_heldout_db"] - 1
    assert drawn["psnr_redone_db"] > drawn["psnr_redone_before_db"] - 0.5
    for stage in ("vae", "teacher", "student", "decoder", "onpolicy"):
        loss = read_log(run / stage / "log.jsonl")["loss"]
        assert np.isfinite(loss).all()
    teacher = read_log(run / "teacher" / "log.jsonl")["loss"]
    assert teacher[-8:].mean() < teacher[:8].mean()


def test_a_second_train_does_nothing(run: Path) -> None:
    before = {p: p.stat().st_mtime_ns for p in run.rglob("*.pt")}
    call("train", "--config", "micro", "--run", str(run))
    call("train", "--config", "micro", "--run", str(run), "--stage", "onpolicy")
    assert before == {p: p.stat().st_mtime_ns for p in run.rglob("*.pt")}


def test_resumes_after_a_kill_with_the_same_result(run: Path, tmp_path: Path) -> None:
    """Killed in the middle and resumed, stage 1 ends with the very weights of the run that was not."""
    config = tmp_path / "killed.yaml"
    text = (MODELS / "configs" / "micro.yaml").read_text()
    config.write_text(text.replace("teacher: {steps: 30,", "teacher: {save_seconds: 0.0, steps: 30,"))
    assert config.read_text() != text
    folder = tmp_path / "run"
    folder.mkdir()
    for part in ("data", "vae", "latents"):
        (folder / part).symlink_to(run / part)
    arguments = command("train", "--config", str(config), "--run", str(folder), "--stage", "teacher")
    process = subprocess.Popen(arguments, cwd=MODELS, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    checkpoint = folder / "teacher" / "checkpoint.pt"
    while not checkpoint.exists() and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (folder / "teacher" / "teacher.pt").exists(), "it finished before the kill"
    step = torch.load(checkpoint, weights_only=True)["step"]
    assert 0 < step < 30
    call(*arguments[3:])
    resumed = torch.load(folder / "teacher" / "teacher.pt", weights_only=True)
    whole = torch.load(run / "teacher" / "teacher.pt", weights_only=True)
    for name, value in whole.items():
        torch.testing.assert_close(resumed[name], value, rtol=1e-4, atol=1e-6, msg=name)


def before_stage_3(run: Path, folder: Path) -> Path:
    """A new run with what stage 3 needs of ``run``."""
    folder.mkdir()
    for part in ("data", "latents", "teacher", "student"):
        (folder / part).symlink_to(run / part)
    return folder


def test_stage_3_resumes_with_its_fake_score(run: Path, tmp_path: Path) -> None:
    """Stopped half-way and resumed, stage 3 ends with the weights of the run that was not: the fake score came along.

    Its rollouts are shorter and longer than the clips of training.
    """
    text = (MODELS / "configs" / "micro.yaml").read_text()
    folder = before_stage_3(run, tmp_path / "run")
    half = tmp_path / "half.yaml"
    # A constant rate: the schedule depends on the number of steps, which is what differs here.
    constant = text.replace("onpolicy: {", "onpolicy: {decay_from: 1.0, judge: mixed, rollout_chunks: [2, 3, 4], ")
    half.write_text(constant.replace("[2, 3, 4], steps: 6", "[2, 3, 4], steps: 3"))
    whole = tmp_path / "whole.yaml"
    whole.write_text(constant)
    call("train", "--config", str(half), "--run", str(folder), "--stage", "onpolicy")
    (folder / "onpolicy" / "onpolicy.pt").unlink()
    call("train", "--config", str(whole), "--run", str(folder), "--stage", "onpolicy")
    resumed = torch.load(folder / "onpolicy" / "onpolicy.pt", weights_only=True)
    other = before_stage_3(run, tmp_path / "other")
    call("train", "--config", str(whole), "--run", str(other), "--stage", "onpolicy")
    straight = torch.load(other / "onpolicy" / "onpolicy.pt", weights_only=True)
    for name, value in straight.items():
        torch.testing.assert_close(resumed[name], value, rtol=1e-4, atol=1e-6, msg=name)


def test_stage_3_refuses_rollouts_that_its_judge_cannot_see(run: Path, tmp_path: Path) -> None:
    short = tmp_path / "short.yaml"
    text = (MODELS / "configs" / "micro.yaml").read_text()
    short.write_text(text.replace("onpolicy: {", "onpolicy: {rollout_chunks: [2, 4], "))
    folder = before_stage_3(run, tmp_path / "run")
    with pytest.raises(ConfigError, match="rollout_chunks: judge 'whole' needs rollouts of 3 chunks"):
        train_onpolicy(load_config(short), folder)


def test_a_mixed_judge_shows_a_training_clip_whole() -> None:
    assert judges_of("causal", [3, 8], 5) == {3: "causal", 8: "causal"}
    assert judges_of("mixed", [3, 5, 8, 5], 5) == {3: "causal", 5: "whole", 8: "causal"}
    with pytest.raises(ConfigError, match="needs rollouts of 5 chunks"):
        judges_of("mixed", [3, 8], 5)
    with pytest.raises(ConfigError, match="whole, causal, mixed, got 'other'"):
        judges_of("other", [5], 5)


def test_generate_and_evaluate(run: Path) -> None:
    call("generate", "--config", "micro", "--run", str(run), "--steps", "1,3", "a red ball bouncing on grass")
    assert (run / "generate" / "student_sheet_03.png").stat().st_size > 1000
    call("evaluate", "--config", "micro", "--run", str(run), "--clips", "8", "--steps", "1,2")
    result = json.loads((run / "evaluate" / "student.json").read_text())
    assert [row["nfe"] for row in result["rows"]] == [1, 2]
    assert all(set(row["accuracy"]) == {"object", "colour", "motion", "place"} for row in result["rows"])
    assert all(0 <= row["motion_plausible"] <= 1 for row in result["rows"])
    arguments = ("--clips", "8", "--steps", "2", "--model", "consistency")
    call("evaluate", "--config", "micro", "--run", str(run), *arguments)
    call("evaluate", "--config", "micro", "--run", str(run), *arguments, "--drift", "2")
    windows = json.loads((run / "evaluate" / "consistency-drift.json").read_text())["windows"]
    assert [row["chunk"] for row in windows] == [3, 8, 17]
    assert windows[0]["drift"] == 0
    call("compare", "--config", "micro", "--run", str(run), "--out", str(run / "results"))
    rows = json.loads((run / "results" / "any-step.json").read_text())
    assert [(row["method"], row["nfe"]) for row in rows] == [("consistency", 2), ("student", 1), ("student", 2)]
    assert rows[0]["frechet_over_consistency_ci"] == [0, 0]
    assert rows[1]["frechet_over_consistency_ci"] is None
    low, high = rows[2]["frechet_over_consistency_ci"]
    assert low <= rows[2]["frechet"] - rows[0]["frechet"] <= high
    above = [window["frechet"] - window["floor"] for window in windows]
    assert rows[0]["drift"] == pytest.approx(above[-1] - above[0])
    # The first window is the clip that the evaluation itself judges.
    assert windows[0]["frechet"] == pytest.approx(rows[0]["frechet"], rel=0.02)
    assert all(0 <= window["accuracy"] <= 1 and window["render_accuracy"] > 0 for window in windows)
    assert rows[0]["drift_windows"] == windows and rows[1]["drift"] is None
    assert all(window["staying"] is None or 2 <= window["staying"]["clips"] <= 8 for window in windows)
    assert rows[2]["frechet_over_student_ci"] == [0, 0]
    assert (run / "results" / "any-step.png").stat().st_size > 1000
    assert all(row["frechet_ci"][0] <= row["frechet"] <= row["frechet_ci"][1] for row in result["rows"])


def test_exported_package_makes_the_same_video(run: Path, tmp_path: Path) -> None:
    """onnxruntime on the exported package against PyTorch on the checkpoints (fp16 weights: 1e-2 of the range)."""
    call("export", "--config", "micro", "--run", str(run), "--out", str(tmp_path / "package"))
    prompt = "a red ball bouncing on grass"
    runner = PackageRunner(tmp_path / "package")
    frames = np.asarray(runner.generate(prompt, seed=3, steps=2, frames=17))
    config = load_config("micro")
    text = TextEncoder().encode([prompt])
    latents = sample_latents(config, load_transformer(config, run, "student"), "student", text, [3], 2)
    with torch.inference_mode():
        expected = load_vae(config, run).decode(latents)[0].numpy()
    assert frames.shape == expected.shape == (17, 3, 64, 64)
    assert np.abs(frames - expected).max() < 1e-2


def test_packed_weights_travel(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Packed to fp16 and unpacked into an empty run, the stages are there again; ``start`` is where training begins."""
    config = load_config("micro")
    monkeypatch.setattr(checkpoints, "MODELS_DIR", tmp_path / "models")
    call("export", "--config", "micro", "--run", str(run), "--out", str(tmp_path / "public" / "models" / config.id))
    assert len(checkpoints.pack(config, run)) == 4
    # The package holds it too; what is packed would come first.
    (tmp_path / "models" / "checkpoints" / "micro" / "student.safetensors").unlink()
    assert len(checkpoints.unpack(config, tmp_path / "fresh")) == 5
    load_recogniser(tmp_path / "fresh")
    before = load_vae(config, run).state_dict()
    for name, value in load_vae(config, tmp_path / "fresh").state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=1e-3, atol=1e-4, msg=name)
    before = load_transformer(config, run, "student").state_dict()
    for name, value in load_transformer(config, tmp_path / "fresh", "student").state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=1e-3, atol=1e-4, msg=name)
    checkpoints.unpack(config, tmp_path / "further", ("teacher",), start=True)
    model = load_transformer(config, run, "student")
    loop = Loop("teacher", model, copy.deepcopy(model), config.teacher, tmp_path / "further" / "teacher")
    assert loop.resume() is False
    teacher = load_transformer(config, run, "teacher").state_dict()
    torch.testing.assert_close(model.state_dict()["proj_out.weight"], teacher["proj_out.weight"], rtol=1e-3, atol=1e-4)
    with pytest.raises(FileNotFoundError, match="no packed weights"):
        checkpoints.unpack(load_config("gpu"), tmp_path / "fresh")


def test_measured_students_travel_as_differences(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = load_config("micro")
    monkeypatch.setattr(checkpoints, "MODELS_DIR", tmp_path / "models")
    package = tmp_path / "public" / "models" / config.id
    call("export", "--config", "micro", "--run", str(run), "--out", str(package))
    (path,) = checkpoints.pack(config, run, ("onpolicy",), delta=True)
    assert path.name == "onpolicy.delta.safetensors"
    checkpoints.unpack(config, tmp_path / "fresh", ("onpolicy",))
    bundled = load_transformer(config, run, "student").state_dict()
    expected = load_transformer(config, run, "onpolicy").state_dict()
    for name, value in load_transformer(config, tmp_path / "fresh", "onpolicy").state_dict().items():
        moved = (expected[name] - bundled[name]).abs().max()
        assert (value - expected[name]).abs().max() <= 0.1 * moved + 1e-3 * expected[name].abs().max() + 1e-4, name
    # Another architecture with no package of its own: from that of the configuration whose teacher it shares.
    other = replace(config, name="whole", id="worlds-whole", shares="micro")
    checkpoints.pack(other, run, ("onpolicy",), delta=True)
    checkpoints.unpack(other, tmp_path / "whole")
    there, here = (load_transformer(config, tmp_path / name, "onpolicy").state_dict() for name in ("whole", "fresh"))
    assert all(torch.equal(there[name], value) for name, value in here.items())
    manifest = json.loads((package / "manifest.json").read_text())
    next(file for file in manifest["files"] if file["path"] == "transformer.bin")["sha256"] = "another"
    (package / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ValueError, match="pack it again"):
        checkpoints.unpack(config, tmp_path / "fresh", ("onpolicy",))


def test_the_bidirectional_student_shares_the_teacher(run: Path, tmp_path: Path) -> None:
    """One chunk of all frames: the same code trains it, samples it, and exports it."""
    (tmp_path / "micro").symlink_to(run)
    config = tmp_path / "whole.yaml"
    config.write_text("base: micro\nname: whole\nid: worlds-whole\nshares: micro\nsample: {first: 5}\nstudent: {steps: 4}\n")
    folder = tmp_path / "whole"
    call("train", "--config", str(config), "--run", str(folder), "--stage", "student")
    assert (folder / "teacher").resolve() == (run / "teacher").resolve()
    call("export", "--config", str(config), "--run", str(folder), "--out", str(tmp_path / "package"))
    assert json.loads((tmp_path / "package" / "manifest.json").read_text())["transformer"]["chunkPlan"]["first"] == 5
    frames = np.asarray(PackageRunner(tmp_path / "package").generate("a red ball bouncing on grass", seed=3, steps=2, frames=17))
    settings = load_config(config)
    text = TextEncoder().encode(["a red ball bouncing on grass"])
    latents = sample_latents(settings, load_transformer(settings, folder, "student"), "student", text, [3], 2)
    with torch.inference_mode():
        expected = load_vae(settings, folder).decode(latents)[0].numpy()
    assert np.abs(frames - expected).max() < 1e-2


def test_bad_requests_say_what_to_do(run: Path, tmp_path: Path) -> None:
    def fails(*arguments: str) -> str:
        done = subprocess.run(command(*arguments), check=False, cwd=MODELS, env=ENVIRONMENT, capture_output=True, text=True)
        assert done.returncode == 2
        return done.stderr

    assert "there are cpu, cpu-bidirectional, gpu, micro" in fails("train", "--config", "nonesuch")
    assert "train --stage student" in fails("generate", "--config", "micro", "--run", str(tmp_path / "empty"), "a ball")
    assert "only 8 clips are held out" in fails("evaluate", "--config", "micro", "--run", str(run), "--clips", "9")
    with pytest.raises(ConfigError, match="unknown key 'stepz'"):
        build(AnyFlowConfig, {"teacher": {"stepz": 3}}, "x")
    with pytest.raises(ConfigError, match="expected int, got 'many'"):
        build(AnyFlowConfig, {"teacher": {"steps": "many"}}, "x")


@pytest.mark.parametrize("name", ["micro", "cpu", "gpu"])
def test_configurations_load(name: str) -> None:
    config = load_config(name)
    assert config.name == name
    assert config.transformer.in_channels == config.vae.latent_channels
