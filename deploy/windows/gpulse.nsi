; The installer of gpulse: for the current user, without an administrator's rights.
;
;   makensis -DVERSION=1.2.3 -DFILES=folder -DOUTPUT=gpulse-1.2.3-setup.exe gpulse.nsi
;
; Silent, as all of NSIS: /S; there /AUTOSTART adds the start at log-on. The uninstaller leaves the kept
; readings where they are; it asks, or silently takes /REMOVEDATA.

Unicode true
Target amd64-unicode
SetCompressor /SOLID lzma
RequestExecutionLevel user
Name "gpulse ${VERSION}"
OutFile "${OUTPUT}"
InstallDir "$LOCALAPPDATA\Programs\gpulse"
BrandingText "gpulse ${VERSION}"
ManifestDPIAware true

!include "MUI2.nsh"
!include "FileFunc.nsh"
!include "LogicLib.nsh"

!define UNINSTALL_KEY "Software\Microsoft\Windows\CurrentVersion\Uninstall\gpulse"
InstallDirRegKey HKCU "${UNINSTALL_KEY}" "InstallLocation"
!define PROGRAM "$INSTDIR\gpulse.exe"
!define START_MENU "$SMPROGRAMS\gpulse.lnk"
!define AUTOSTART "$SMSTARTUP\gpulse.lnk"

!define MUI_ICON "${FILES}/gpulse.ico"
!define MUI_UNICON "${FILES}/gpulse.ico"
!define MUI_FINISHPAGE_RUN "${PROGRAM}"
!define MUI_FINISHPAGE_RUN_PARAMETERS "run --browser"
!define MUI_FINISHPAGE_RUN_TEXT "Start gpulse and open its page"
!insertmacro MUI_PAGE_COMPONENTS
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE "English"

; Windows lets nobody replace or remove a program that runs.
!macro WaitUntilStopped un
  Function ${un}WaitUntilStopped
    ${DoWhile} ${FileExists} "${PROGRAM}"
      ClearErrors
      FileOpen $0 "${PROGRAM}" a
      ${IfNot} ${Errors}
        FileClose $0
        ${Break}
      ${EndIf}
      MessageBox MB_RETRYCANCEL|MB_ICONEXCLAMATION \
        "gpulse is running. Close its window (or press Ctrl-C in it), then try again." \
        /SD IDCANCEL IDRETRY +3
        SetErrorLevel 3
        Quit
    ${Loop}
  FunctionEnd
!macroend
!insertmacro WaitUntilStopped ""
!insertmacro WaitUntilStopped "un."

Section "gpulse" SectionProgram
  SectionIn RO
  Call WaitUntilStopped
  SetOutPath "$INSTDIR"
  File "${FILES}/gpulse.exe"
  File "${FILES}/README.txt"
  File "${FILES}/LICENSE.txt"
  File "${FILES}/THIRD-PARTY.txt"
  WriteUninstaller "$INSTDIR\uninstall.exe"
  # The section below makes it again, if it is ticked.
  Delete "${AUTOSTART}"
  CreateShortcut "${START_MENU}" "${PROGRAM}" "run --browser" "" 0 SW_SHOWNORMAL "" \
    "Shows what the graphics card is doing"
  WriteRegStr HKCU "${UNINSTALL_KEY}" "DisplayName" "gpulse"
  WriteRegStr HKCU "${UNINSTALL_KEY}" "DisplayVersion" "${VERSION}"
  WriteRegStr HKCU "${UNINSTALL_KEY}" "DisplayIcon" "${PROGRAM}"
  WriteRegStr HKCU "${UNINSTALL_KEY}" "InstallLocation" "$INSTDIR"
  WriteRegStr HKCU "${UNINSTALL_KEY}" "UninstallString" '"$INSTDIR\uninstall.exe"'
  WriteRegStr HKCU "${UNINSTALL_KEY}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
  WriteRegDWORD HKCU "${UNINSTALL_KEY}" "NoModify" 1
  WriteRegDWORD HKCU "${UNINSTALL_KEY}" "NoRepair" 1
  ${GetSize} "$INSTDIR" "/S=0K" $0 $1 $2
  WriteRegDWORD HKCU "${UNINSTALL_KEY}" "EstimatedSize" $0
SectionEnd

Section /o "Start at log-on, minimised" SectionAutostart
  CreateShortcut "${AUTOSTART}" "${PROGRAM}" "run --no-browser" "" 0 SW_SHOWMINIMIZED "" \
    "Follows GPU-Z's log from log-on"
SectionEnd

LangString DescribeProgram ${LANG_ENGLISH} "The program and its entry in the start menu."
LangString DescribeAutostart ${LANG_ENGLISH} \
  "gpulse follows GPU-Z's log from log-on, in a minimised window. Closing the window stops it."
!insertmacro MUI_FUNCTION_DESCRIPTION_BEGIN
  !insertmacro MUI_DESCRIPTION_TEXT ${SectionProgram} $(DescribeProgram)
  !insertmacro MUI_DESCRIPTION_TEXT ${SectionAutostart} $(DescribeAutostart)
!insertmacro MUI_FUNCTION_DESCRIPTION_END

Function .onInit
  ${GetParameters} $0
  ClearErrors
  ${GetOptions} $0 "/AUTOSTART" $1
  ${IfNot} ${Errors}
  ${OrIf} ${FileExists} "${AUTOSTART}"
    SectionSetFlags ${SectionAutostart} ${SF_SELECTED}
  ${EndIf}
FunctionEnd

Section "Uninstall"
  Call un.WaitUntilStopped
  # What leads to the program goes before it.
  Delete "${START_MENU}"
  Delete "${AUTOSTART}"
  Delete "$INSTDIR\gpulse.exe"
  Delete "$INSTDIR\README.txt"
  Delete "$INSTDIR\LICENSE.txt"
  Delete "$INSTDIR\THIRD-PARTY.txt"
  Delete "$INSTDIR\uninstall.exe"
  RMDir "$INSTDIR"
  DeleteRegKey HKCU "${UNINSTALL_KEY}"
  ${GetParameters} $0
  ClearErrors
  ${GetOptions} $0 "/REMOVEDATA" $1
  ${If} ${Errors}
    MessageBox MB_YESNO|MB_ICONQUESTION|MB_DEFBUTTON2 \
      "Remove the readings that gpulse has kept, too? They are in $LOCALAPPDATA\gpulse." \
      /SD IDNO IDYES +2
      Goto done
  ${EndIf}
  RMDir /r "$LOCALAPPDATA\gpulse"
  done:
SectionEnd
