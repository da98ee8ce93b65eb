;;; emacs_eglot.el --- Emacs as eglot users have it, in batch  -*- lexical-binding: t -*-
;; Usage: emacs -Q --batch -l emacs_eglot.el FILE COMMAND TITLE
;; Prints one line a fact: what the completion menu offers, and the buffer after taking it; then the actions offered
;; for the first line, and the buffer after the one named TITLE.

(dolist (folder (file-expand-wildcards "/usr/share/emacs/site-lisp/elpa*/*"))
  (add-to-list 'load-path folder))
(require 'eglot)
(setq print-escape-newlines t)

(let ((file (pop command-line-args-left))
      (command (pop command-line-args-left))
      (title (pop command-line-args-left)))
  (setq eglot-sync-connect 30
        eglot-connect-timeout 60
        eglot-autoshutdown t)
  (add-to-list 'eglot-server-programs `(python-mode . (,command "serve")))
  (find-file file)
  (python-mode)
  (apply #'eglot--connect (eglot--guess-contact))
  (eglot--maybe-activate-editing-mode)
  (princ (format "managed: %s\n" (and (eglot-managed-p) t)))
  ;; The model loads behind the connection; its state is asked for until it is there.
  (let ((limit-s (+ (float-time) 60)) (state nil))
    (while (and (not (equal state "ready")) (< (float-time) limit-s))
      (setq state (plist-get (jsonrpc-request (eglot--current-server-or-lose) :fimble/status eglot--{}) :state))
      (accept-process-output nil 0.05))
    (princ (format "state: %s\n" state)))
  (goto-char (point-max))
  (let* ((found (eglot-completion-at-point))
         (candidates (all-completions "" (nth 2 found)))
         (exit (plist-get (nthcdr 3 found) :exit-function)))
    (princ (format "candidates: %S\n" (mapcar #'substring-no-properties candidates)))
    ;; As the menu does it: the text goes in, then the exit function makes of it what the server meant.
    (when candidates
      (delete-region (nth 0 found) (nth 1 found))
      (insert (car candidates))
      (funcall exit (car candidates) 'finished)))
  (princ (format "buffer: %S\n" (substring-no-properties (buffer-string))))
  ;; The menu of actions, where a user would choose with the mouse or by `eglot-code-actions'.
  (goto-char (point-min))
  (let* ((actions (eglot-code-actions (line-beginning-position) (line-end-position)))
         (titles (mapcar (lambda (action) (plist-get action :title)) (append actions nil)))
         (before (buffer-string))
         (limit-s (+ (float-time) 60)))
    (princ (format "actions: %S\n" titles))
    ;; As by a key: without one, Emacs takes it for a click and asks by a menu.
    (cl-letf ((last-nonmenu-event ?a)
              ((symbol-function 'completing-read) (lambda (&rest _) title))
              ((symbol-function 'y-or-n-p) (lambda (&rest _) t)))
      (eglot--read-execute-code-action (append actions nil) (eglot--current-server-or-lose)))
    (while (and (equal before (buffer-string)) (< (float-time) limit-s))
      (accept-process-output nil 0.05)))
  (princ (format "acted: %S\n" (substring-no-properties (buffer-string))))
  (set-buffer-modified-p nil)
  (eglot-shutdown (eglot--current-server-or-lose)))
