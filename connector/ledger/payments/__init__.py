"""Points as a means of payment: authorised, captured, voided, given back."""
