"""What the domain refuses. Each message is a sentence that can be shown to a person."""


class DomainError(Exception):
    """The domain's own refusals; anything else that is raised is a defect."""


class IllegalTransition(DomainError):
    """A case was asked to move where its state does not lead."""


class InvalidChanges(DomainError):
    """A reviewer's changes do not fit the proposal."""
