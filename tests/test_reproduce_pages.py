"""Pages of `tfgen reproduce`: verdicts, families of tests, what is not run."""

from recorded import record

from zoo.studies.reproduce import page, records
from zoo.studies.reproduce.cells import TABLES, cells


def test_the_page_prints_every_cell_and_the_verdict_in_words(tmp_path):
    for seed in range(6):
        for arm, share in (("GAN", 0.8), ("IWGAN", 0.79 - seed / 1000)):
            scores = {"inception_score_ratio": share, "fid": 2 * share}
            records.append(tmp_path, record(arm, seed, scores=scores))
    written = page.table("table2", tmp_path, "here")
    difference = "-0.0125 (-0.0145 to -0.0105)"
    assert f"| IWGAN > GAN | inception_score_ratio | 6 | {difference} | 0.031 | worse |" in written
    assert "| IWGAN - GAN | fid | 6 | -0.025 (-0.029 to -0.021) | 0 of 6 | 0.031 |" in written
    for title in ("digits, given labels", "MNIST", "SVHN", "CIFAR-10"):
        assert f"| {title} | " in written
    assert "| minimax GAN | 0 | not run here |" in written
    assert "| IWGAN - minimax GAN | inception_score_ratio | 0 | not run here |" in written
    assert written.count("not run here") == len(TABLES["table2"].cells) - 1 + 2


def test_the_committed_records_are_those_of_the_pages():
    for scale in ("here", "paper"):
        for name in TABLES:
            written = page.PAGES / page.file_name(name, scale)
            has_records = bool(page.claims(name, page.RECORDS, scale))
            assert written.is_file() == has_records
            if has_records:
                assert written.read_text() == page.table(name, page.RECORDS, scale)
    readme = (page.ROOT / "README.md").read_text()
    rows = readme.split(page.BEGIN)[1].split(page.END)[0]
    assert rows == page.claim_rows(page.RECORDS, "docs/studies")


def test_the_verdict_of_theta_and_of_its_average_are_apart(tmp_path):
    for seed in range(6):
        for arm, gain in (("GAN", 0.0), ("IWGAN", 0.01)):
            scores = {
                "inception_score_ratio": 0.8 + gain * (-1) ** seed + seed / 1000,
                "average_inception_score_ratio": 0.8 - gain,
            }
            records.append(tmp_path, record(arm, seed, scores=scores))
    [row, *_] = page.claim_rows(tmp_path, "docs/studies").splitlines()[2:]
    assert "| digits: no difference found (theta's average: worse) |" in row
    written = page.table("table2", tmp_path, "here")
    assert (
        "| average_inception_score_ratio | 6 | -0.0100 (-0.0100 to -0.0100) | 0.031 | worse"
        in written
    )


def test_a_supplement_is_not_corrected_and_corrects_no_other(tmp_path):
    main, supplement = "svae_mnist_1pct", "svae_mnist_1pct_alpha100"
    assert [cell.name for cell in cells().values() if cell.supplementary] == [supplement]
    for cell in (main, supplement):
        for seed in range(6):
            for arm, accuracy in (("SVAE", 0.9), ("AA-SVAE", 0.95 + seed / 1000)):
                scores = {"accuracy": accuracy}
                records.append(tmp_path, record(arm, seed, cell=cell, scores=scores))
    found = page.claims("table4", tmp_path, "here")
    assert {cell: p for cell, (_, p) in found.items()} == {main: 2 / 64, supplement: 2 / 64}


def test_every_cell_of_the_tables_is_a_member_of_a_claim():
    members = {name: [] for name in TABLES}
    for name, found, *_ in page.CLAIMS:
        members[name] += found
    assert {name: sorted(found) for name, found in members.items()} == {
        name: sorted(table.cells) for name, table in TABLES.items()
    }


def test_every_claim_of_the_paper_has_a_row(tmp_path):
    for seed in range(6):
        for arm, share in (("GAN", 0.8), ("IWGAN", 0.79 - seed / 1000), ("minimax GAN", 0.785)):
            records.append(tmp_path, record(arm, seed, scores={"inception_score_ratio": share}))
    rows = page.claim_rows(tmp_path, "docs/studies").splitlines()[2:]
    assert len(rows) == 6
    assert "digits: -0.0125 (-0.0145 to -0.0105), n = 6 | digits: worse | " in rows[0]
    assert "| digits, over minimax GAN: +0.0025 (+0.0005 to +0.0045) | [table2](docs" in rows[0]
    assert "| not run here | - | - | `tfgen reproduce table4` |" in rows[-1]
    page.draw("table2", tmp_path, "here", tmp_path / "table2.png")
    assert (tmp_path / "table2.png").read_bytes().startswith(b"\x89PNG")
