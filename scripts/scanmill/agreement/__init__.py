"""How well measurements agree with a reference: masks, surfaces and volumes, of a case and a cohort."""
