"""Where the DVC repository is made."""

from __future__ import annotations

import subprocess

import pytest

from mlspec.run.workspace import workspace as make_workspace


@pytest.mark.parametrize("place", ["no git", "git", "below git"])
def test_a_workspace_is_made_once_and_says_so(tmp_path, site, place, capfd):
    root = tmp_path / "below" if place == "below git" else tmp_path
    root.mkdir(exist_ok=True)
    if place != "no git":
        subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    said: list[str] = []
    make_workspace(root, said.append)
    make_workspace(root, said.append)
    assert len(said) == 1 and str(root) in said[0]
    assert {"no git": "without git", "git": "beside git", "below git": "below the git"}[place] in said[0]
    config = (root / ".dvc/config").read_text()
    assert ("no_scm = True" in config) == (place == "no git")
    assert "type = reflink, hardlink, copy" in config
    assert (root / ".gitignore").exists() == (place != "no git")
    if place != "no git":
        assert {"/artifacts/", "/.mlspec/"} <= set((root / ".gitignore").read_text().splitlines())
    assert capfd.readouterr().out == ""


def test_lines_of_the_user_stay_in_gitignore(tmp_path, site):
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / ".gitignore").write_text("mine\n/artifacts/")
    make_workspace(tmp_path)
    assert (tmp_path / ".gitignore").read_text() == "mine\n/artifacts/\n/.mlspec/\n"
