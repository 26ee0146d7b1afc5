"""Which engines have judged the contracts: a run that had fewer says so in its summary."""


def test_a_further_engine_has_judged_the_contracts_too(named_engine):
    engine = named_engine()

    assert engine.raw_items() == []
    assert "TableNames" in engine.client.list_tables()
