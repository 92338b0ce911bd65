"""A picture is drawn by a process that ends with the run, whatever becomes of either."""

from pytest import fixture, raises

from sim.pictures import Picture

PAINTER = "import sys, pathlib\nname = sys.stdin.readline().strip()\nif name: pathlib.Path(name, 'overview.png').touch()"


@fixture
def painter() -> tuple[str, str]:
    """One that needs no tables."""
    return ("-c", PAINTER)


def test_it_is_drawn_in_the_folder_that_is_named(tmp_path, painter, capsys):
    folder = tmp_path / "a name with spaces, ü"
    folder.mkdir()
    with Picture(painter) as picture:
        picture.begin(folder)
        picture.end()
    assert (folder / "overview.png").is_file() and not capsys.readouterr().err and picture._process.returncode == 0


def test_why_it_could_not_be_drawn_is_said(tmp_path, capsys):
    for broken in ("import sys; sys.stdin.readline(); raise OSError('no fonts')", "raise OSError('no fonts')"):
        with Picture(("-c", broken)) as picture:
            picture.begin(tmp_path)
            picture.end()
        said = capsys.readouterr().err
        assert "no fonts" in said and "tables are complete" in said


def test_a_run_that_fails_leaves_no_process(painter):
    with raises(ZeroDivisionError), Picture(painter) as picture:
        1 / 0  # noqa: B018
    assert picture._process.poll() is not None


def test_the_usual_one_ends_well_where_no_folder_is_named():
    """As when the run that began it is killed."""
    with Picture() as picture:
        picture.end()
    assert picture._process.returncode == 0
