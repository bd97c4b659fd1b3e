"""The one place where events meet the domain: `inbound` reads them, `outbound` writes them."""
